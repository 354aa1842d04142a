#include "io/codec_stb.h"

#include <climits>
#include <memory>

#include "error.h"

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS (1 << 24)
#include <stb_image.h>

namespace mobilenet_tvm {

Image DecodeWithStb(std::string_view bytes, const std::string& source) {
  const auto* data = reinterpret_cast<const stbi_uc*>(bytes.data());
  if (bytes.size() > INT_MAX) {
    throw UserError(source + ": is too large");
  }
  const int size = static_cast<int>(bytes.size());
  Image image;
  int channels = 0;
  // The size first: a few bytes can ask for any amount of memory.
  if (stbi_info_from_memory(data, size, &image.width, &image.height, &channels) == 0) {
    throw UserError(source + ": does not decode: " + stbi_failure_reason());
  }
  CheckImageSize(image.width, image.height, source);
  constexpr int kRgb = 3;
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> pixels(
      stbi_load_from_memory(data, size, &image.width, &image.height, &channels, kRgb),
      &stbi_image_free);
  if (pixels == nullptr) {
    throw UserError(source + ": does not decode: " + stbi_failure_reason());
  }
  const std::size_t count = static_cast<std::size_t>(image.width) * image.height * kRgb;
  image.rgb.assign(pixels.get(), pixels.get() + count);
  return image;
}

}  // namespace mobilenet_tvm
