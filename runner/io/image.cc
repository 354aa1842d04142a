#include "io/image.h"

#include "error.h"
#ifdef MOBILENET_RUN_HAS_STB
#include "io/codec_stb.h"
#endif

namespace mobilenet_tvm {
namespace {

// Pillow's limit against decompression bombs; no photograph comes near.
constexpr std::int64_t kMaxPixels = 178956970;

bool StartsWith(std::string_view bytes, std::string_view magic) {
  return bytes.substr(0, magic.size()) == magic;
}

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// One number of a PPM header, comments skipped; -1 if there is none.
std::int64_t TakePpmNumber(std::string_view bytes, std::size_t& at) {
  while (at < bytes.size() && (IsSpace(bytes[at]) || bytes[at] == '#')) {
    if (bytes[at] == '#') {
      while (at < bytes.size() && bytes[at] != '\n' && bytes[at] != '\r') {
        ++at;
      }
    } else {
      ++at;
    }
  }
  std::int64_t value = -1;
  for (int digits = 0; at < bytes.size() && bytes[at] >= '0' && bytes[at] <= '9'; ++at, ++digits) {
    if (digits == 9) {
      return -1;
    }
    value = (value < 0 ? 0 : value * 10) + (bytes[at] - '0');
  }
  return value;
}

Image DecodePpm(std::string_view bytes, const std::string& source) {
  std::size_t at = 2;
  const std::int64_t width = TakePpmNumber(bytes, at);
  const std::int64_t height = TakePpmNumber(bytes, at);
  const std::int64_t highest = TakePpmNumber(bytes, at);
  if (width < 0 || height < 0 || highest < 0 || at >= bytes.size() || !IsSpace(bytes[at])) {
    throw UserError(source + ": does not decode: its PPM header is broken");
  }
  if (highest != 255) {
    throw UserError(source + ": is a PPM with values up to " + std::to_string(highest) +
                    "; only 255 is read");
  }
  CheckImageSize(width, height, source);
  const std::string_view pixels = bytes.substr(at + 1);
  const auto needed = static_cast<std::size_t>(width * height * 3);
  if (pixels.size() < needed) {
    throw UserError(source + ": does not decode: it is cut, " + std::to_string(pixels.size()) +
                    " of " + std::to_string(needed) + " bytes of pixels are there");
  }
  const auto* data = reinterpret_cast<const std::uint8_t*>(pixels.data());
  return {static_cast<int>(width), static_cast<int>(height), {data, data + needed}};
}

#ifdef MOBILENET_RUN_HAS_STB
// stb_image fills what a cut JPEG lacks with grey and says nothing, so look for the end marker. Markers inside
// segments are skipped: an embedded thumbnail has an end of its own.
bool JpegIsWhole(std::string_view bytes) {
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  constexpr unsigned kEnd = 0xD9;
  for (std::size_t at = 2; at + 1 < bytes.size();) {
    const unsigned marker = byte(at + 1);
    if (byte(at) != 0xFF || marker == 0x00 || marker == 0xFF) {
      ++at;  // entropy-coded data, a stuffed byte or filling
    } else if (marker == kEnd) {
      return true;
    } else if (marker >= 0xD0 && marker <= 0xD8) {
      at += 2;  // restart marker: no length
    } else {
      at += 2 + ((byte(at + 2) << 8U) | byte(at + 3));
    }
  }
  return false;
}
#endif

}  // namespace

std::string_view Codecs() { return MOBILENET_RUN_CODECS; }

void CheckImageSize(std::int64_t width, std::int64_t height, const std::string& source) {
  if (width < 1 || height < 1) {
    throw UserError(source + ": does not decode: the image is empty");
  }
  if (width > kMaxPixels / height) {
    throw UserError(source + ": is an image of " + std::to_string(width) + "x" +
                    std::to_string(height) + " pixels, more than " + std::to_string(kMaxPixels));
  }
}

Image DecodeImage(std::string_view bytes, const std::string& source) {
  constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n";
  constexpr std::string_view kJpeg = "\xFF\xD8\xFF";
  if (StartsWith(bytes, "P6")) {
    return DecodePpm(bytes, source);
  }
  const bool jpeg = StartsWith(bytes, kJpeg);
  if (!jpeg && !StartsWith(bytes, kPng)) {
    throw UserError(source + ": does not decode: it is not one of " + std::string(Codecs()));
  }
#ifdef MOBILENET_RUN_HAS_STB
  if (jpeg && !JpegIsWhole(bytes)) {
    throw UserError(source + ": does not decode: the JPEG is cut");
  }
  return DecodeWithStb(bytes, source);
#else
  throw UserError(source +
                  ": this mobilenet-run was built without PNG and JPEG: convert the image to PPM, "
                  "or build again with stb_image.h (Debian: apt install libstb-dev)");
#endif
}

}  // namespace mobilenet_tvm
