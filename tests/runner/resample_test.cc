#include "io/resample.h"

#include "check.h"
#include "io/preprocess.h"

using mobilenet_tvm::Image;
using mobilenet_tvm::ResizeBilinear;

namespace {

Image Noise(int width, int height) {
  Image image{width, height, {}};
  unsigned state = 1;
  for (int i = 0; i < width * height * 3; ++i) {
    state = state * 1664525U + 1013904223U;
    image.rgb.push_back(static_cast<std::uint8_t>(state >> 24U));
  }
  return image;
}

}  // namespace

TEST(same_size_is_the_same_image) {
  const Image image = Noise(7, 5);
  CHECK(ResizeBilinear(image, 7, 5, {0, 0, 7, 5}).rgb == image.rgb);
}

TEST(a_window_is_a_part_of_the_whole) {
  const Image image = Noise(40, 30);
  const Image whole = ResizeBilinear(image, 17, 52, {0, 0, 17, 52});
  const Image part = ResizeBilinear(image, 17, 52, {4, 11, 8, 20});
  for (int y = 0; y < 20; ++y) {
    for (int i = 0; i < 8 * 3; ++i) {
      CHECK_EQ(static_cast<int>(part.rgb[static_cast<std::size_t>(y * 24 + i)]),
               static_cast<int>(whole.rgb[static_cast<std::size_t>((y + 11) * 51 + 12 + i)]));
    }
  }
}

TEST(flat_stays_flat) {
  const Image white{9, 4, std::vector<std::uint8_t>(9 * 4 * 3, 255)};
  for (const std::uint8_t byte : ResizeBilinear(white, 31, 3, {0, 0, 31, 3}).rgb) {
    CHECK_EQ(static_cast<int>(byte), 255);
  }
}

TEST(preprocess_makes_planes) {
  mobilenet_tvm::Preprocessing spec;
  spec.resize = spec.crop = 2;
  spec.mean = {0.0F, 1.0F, 0.0F};
  spec.std = {1.0F, 1.0F, 2.0F};
  spec.scale = 0.5F;
  const Image image{2, 2, {2, 4, 8, 2, 4, 8, 2, 4, 8, 2, 4, 8}};
  const auto tensor = Preprocess(image, spec, "a");
  CHECK_EQ(tensor.size(), 12U);
  CHECK_EQ(tensor[0], 1.0F);
  CHECK_EQ(tensor[4], 1.0F);
  CHECK_EQ(tensor[8], 2.0F);
}

TEST(too_narrow) {
  mobilenet_tvm::Preprocessing spec;
  spec.resize = spec.crop = 256;
  CHECK_USER_ERROR(Preprocess(Noise(1, 300), spec, "a.png"),
                   "a.png: an image of 1x300 is too narrow");
}
