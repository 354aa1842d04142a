#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace mobilenet_tvm {

/// Reads a whole file as bytes. Throws UserError when it is missing, not a regular file, unreadable or
/// larger than `max_bytes`; `name` is how the message calls the file.
std::string ReadFile(const std::filesystem::path& path, const std::string& name,
                     std::uintmax_t max_bytes);

}  // namespace mobilenet_tvm
