#include "io/resample.h"

#include <algorithm>
#include <cmath>

namespace mobilenet_tvm {
namespace {

// A weight of one, 2^22: sums are 32 bits, pixels 8, and Pillow keeps 2 to spare for filters that overshoot.
constexpr std::int32_t kOne = 4194304;
constexpr int kChannels = 3;

/// Weights of one output pixel over the input pixels that begin at `first`.
struct Taps {
  int first;
  std::vector<std::int32_t> weights;
};

// Pillow rounds by adding a half and cutting, which is not what lround does just below a half.
int RoundDown(double value) { return static_cast<int>(value); }

// For output pixels begin..begin+count-1 of `out_size`. Double precision and the order of the operations are
// part of the result; the file is compiled without contraction into fused operations.
std::vector<Taps> TriangleTaps(int in_size, int out_size, int begin, int count) {
  const double scale = static_cast<double>(in_size) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter_scale;
  const double inverse = 1.0 / filter_scale;
  std::vector<Taps> all;
  all.reserve(static_cast<std::size_t>(count));
  std::vector<double> raw;
  for (int out = begin; out < begin + count; ++out) {
    const double center = (out + 0.5) * scale;
    const int first = std::max(0, RoundDown(center - support + 0.5));
    const int last = std::min(in_size, RoundDown(center + support + 0.5));
    raw.clear();
    double total = 0.0;
    for (int x = 0; x < last - first; ++x) {
      const double distance = std::fabs((x + first - center + 0.5) * inverse);
      const double weight = distance < 1.0 ? 1.0 - distance : 0.0;
      raw.push_back(weight);
      total += weight;
    }
    Taps taps{first, {}};
    taps.weights.reserve(raw.size());
    for (const double weight : raw) {
      const double share = total == 0.0 ? weight : weight / total;
      taps.weights.push_back(RoundDown(0.5 + share * kOne));
    }
    all.push_back(std::move(taps));
  }
  return all;
}

constexpr std::int32_t kHalf = kOne / 2;

// `sum` began with kHalf. Weights and pixels are not negative, so neither is it, and division is the shift.
std::uint8_t RoundToByte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::min(sum / kOne, 255));
}

// Filters `rows` rows of the image, from row `first_row` on.
Image AlongRows(const Image& image, const std::vector<Taps>& columns, int first_row, int rows) {
  Image out{static_cast<int>(columns.size()), rows, {}};
  out.rgb.reserve(columns.size() * static_cast<std::size_t>(rows) * kChannels);
  for (int y = 0; y < rows; ++y) {
    const std::uint8_t* row =
        image.rgb.data() + static_cast<std::size_t>(first_row + y) * image.width * kChannels;
    for (const Taps& taps : columns) {
      std::int32_t sum[kChannels] = {kHalf, kHalf, kHalf};
      const std::uint8_t* pixel = row + static_cast<std::size_t>(taps.first) * kChannels;
      for (const std::int32_t weight : taps.weights) {
        for (int c = 0; c < kChannels; ++c) {
          sum[c] += pixel[c] * weight;
        }
        pixel += kChannels;
      }
      for (const std::int32_t value : sum) {
        out.rgb.push_back(RoundToByte(value));
      }
    }
  }
  return out;
}

// `first_row` is the row of the whole image that row 0 of `image` is.
Image AlongColumns(const Image& image, const std::vector<Taps>& rows, int first_row) {
  const std::size_t stride = static_cast<std::size_t>(image.width) * kChannels;
  Image out{image.width, static_cast<int>(rows.size()), {}};
  out.rgb.resize(rows.size() * stride);
  std::vector<std::int32_t> sums(stride);
  std::uint8_t* to = out.rgb.data();
  for (const Taps& taps : rows) {
    std::fill(sums.begin(), sums.end(), kHalf);
    const std::uint8_t* from =
        image.rgb.data() + static_cast<std::size_t>(taps.first - first_row) * stride;
    for (const std::int32_t weight : taps.weights) {
      for (std::size_t i = 0; i < stride; ++i) {
        sums[i] += from[i] * weight;
      }
      from += stride;
    }
    for (const std::int32_t sum : sums) {
      *to++ = RoundToByte(sum);
    }
  }
  return out;
}

}  // namespace

Image ResizeBilinear(const Image& image, int width, int height, const Window& window) {
  const auto columns = TriangleTaps(image.width, width, window.left, window.width);
  const auto rows = TriangleTaps(image.height, height, window.top, window.height);
  const int first_row = rows.front().first;
  const int end_row = rows.back().first + static_cast<int>(rows.back().weights.size());
  return AlongColumns(AlongRows(image, columns, first_row, end_row - first_row), rows, first_row);
}

}  // namespace mobilenet_tvm
