#pragma once

#include <map>
#include <string>
#include <string_view>

namespace mobilenet_tvm {

/// The members of an uncompressed .npz (numpy.savez), by name with their ".npy"; the views point into `bytes`.
/// Throws UserError, calling the file `source`, if it is cut, broken, compressed or of the zip64 kind.
std::map<std::string, std::string_view> ListNpz(std::string_view bytes, const std::string& source);

}  // namespace mobilenet_tvm
