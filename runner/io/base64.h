#pragma once

#include <string>
#include <vector>

namespace mobilenet_tvm {

/// Bytes as RFC 4648's base64.
std::string Base64(const std::vector<char>& bytes);

}  // namespace mobilenet_tvm
