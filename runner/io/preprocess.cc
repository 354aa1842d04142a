#include "io/preprocess.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "error.h"
#include "io/resample.h"

namespace mobilenet_tvm {
namespace {

// mobilenet_tvm/model/preprocessing.py has the same limit.
constexpr double kMaxLongSide = 65535;

// torchvision's Resize(size): the shorter side becomes `size`, the longer int(size * long / short).
int LongSide(int size, int longer, int shorter, const Image& image, const std::string& source) {
  const double length = static_cast<double>(static_cast<std::int64_t>(size) * longer) / shorter;
  if (length > kMaxLongSide) {
    throw UserError(source + ": an image of " + std::to_string(image.width) + "x" +
                    std::to_string(image.height) + " is too narrow to resize");
  }
  return static_cast<int>(length);
}

// torchvision's CenterCrop: int(round(margin / 2.0)), halves to even.
int HalfToEven(int margin) {
  const int half = margin / 2;
  return margin % 2 == 0 ? half : half + half % 2;
}

}  // namespace

std::vector<float> Preprocess(const Image& image, const Preprocessing& spec,
                              const std::string& source) {
  int width = spec.resize;
  int height = spec.resize;
  if (image.width <= image.height) {
    height = LongSide(spec.resize, image.height, image.width, image, source);
  } else {
    width = LongSide(spec.resize, image.width, image.height, image, source);
  }
  const Window window{HalfToEven(width - spec.crop), HalfToEven(height - spec.crop), spec.crop,
                      spec.crop};
  const Image cropped = ResizeBilinear(image, width, height, window);
  const std::size_t plane = static_cast<std::size_t>(spec.crop) * spec.crop;
  std::vector<float> tensor(3 * plane);
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < plane; ++i) {
      const float scaled = static_cast<float>(cropped.rgb[3 * i + c]) * spec.scale;
      tensor[c * plane + i] = (scaled - spec.mean[c]) / spec.std[c];
    }
  }
  return tensor;
}

}  // namespace mobilenet_tvm
