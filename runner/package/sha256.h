#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace mobilenet_tvm {

/// SHA-256 (FIPS 180-4) of a stream of bytes.
class Sha256 {
 public:
  void Update(std::string_view bytes);

  /// Ends the message and returns its digest as 64 lower-case hex digits. Call once.
  std::string HexDigest();

 private:
  void Block(const unsigned char* block);

  static constexpr std::size_t kBlockBytes = 64;
  std::array<std::uint32_t, 8> state_ = {0x6a09e667U, 0xbb67ae85U, 0x3c6ef372U, 0xa54ff53aU,
                                         0x510e527fU, 0x9b05688cU, 0x1f83d9abU, 0x5be0cd19U};
  std::array<unsigned char, kBlockBytes> pending_{};
  std::size_t pending_size_ = 0;
  std::uint64_t total_bytes_ = 0;
};

/// SHA-256 of a file as 64 hex digits. Throws UserError, calling the file `name`, if it cannot be read.
std::string Sha256OfFile(const std::filesystem::path& path, const std::string& name);

}  // namespace mobilenet_tvm
