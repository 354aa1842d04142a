#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet_tvm {

/// 8-bit RGB, rows top to bottom, pixels left to right.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
};

/// What this build decodes, "png,jpeg,ppm,npy" or "ppm,npy".
std::string_view Codecs();

/// Decodes a PNG, JPEG or PPM (P6) file, told apart by their contents. Grey images and those with transparency
/// become RGB. Throws UserError, calling the file `source`.
Image DecodeImage(std::string_view bytes, const std::string& source);

/// Throws UserError when an image of this size is empty or larger than is decoded.
void CheckImageSize(std::int64_t width, std::int64_t height, const std::string& source);

}  // namespace mobilenet_tvm
