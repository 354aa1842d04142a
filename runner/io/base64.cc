#include "io/base64.h"

#include <cstdint>
#include <string_view>

namespace mobilenet_tvm {

std::string Base64(const std::vector<char>& bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kGroup = 3;   // bytes
  constexpr std::size_t kDigits = 4;  // of 6 bits each
  std::string text;
  text.reserve((bytes.size() + kGroup - 1) / kGroup * kDigits);
  for (std::size_t at = 0; at < bytes.size(); at += kGroup) {
    std::uint32_t group = 0;
    std::size_t there = 0;
    for (std::size_t i = 0; i < kGroup; ++i) {
      const bool inside = at + i < bytes.size();
      there += inside ? 1 : 0;
      group = (group << 8U) | (inside ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
      const std::uint32_t bits = (group >> (6U * (kDigits - 1 - digit))) & 63U;
      text.push_back(digit <= there ? kAlphabet[bits] : '=');
    }
  }
  return text;
}

}  // namespace mobilenet_tvm
