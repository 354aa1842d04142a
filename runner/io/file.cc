#include "io/file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "error.h"

namespace mobilenet_tvm {

std::string ReadFile(const std::filesystem::path& path, const std::string& name,
                     std::uintmax_t max_bytes) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (!std::filesystem::exists(status)) {
    throw UserError(name + ": there is no such file");
  }
  if (!std::filesystem::is_regular_file(status)) {
    throw UserError(name + ": is not a file");
  }
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  if (failure) {
    throw UserError(name + ": cannot be read: " + failure.message());
  }
  if (size > max_bytes) {
    throw UserError(name + ": is " + std::to_string(size) + " bytes long, more than the " +
                    std::to_string(max_bytes) + " that are read");
  }
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (!stream || !stream.read(bytes.data(), static_cast<std::streamsize>(size))) {
    throw UserError(name + ": cannot be read: " + std::strerror(errno));
  }
  return bytes;
}

}  // namespace mobilenet_tvm
