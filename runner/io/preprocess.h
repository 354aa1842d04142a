#pragma once

#include <array>
#include <string>
#include <vector>

#include "io/image.h"

namespace mobilenet_tvm {

/// How an image becomes a network's input, as the manifest says it.
struct Preprocessing {
  int resize = 0;  ///< length of the shorter side after resizing
  int crop = 0;    ///< side of the square cut from the middle, at most `resize`
  std::array<float, 3> mean{};
  std::array<float, 3> std{};
  float scale = 0;  ///< what a byte is multiplied with before the mean is taken off
};

/// Resize, centre crop, (byte * scale - mean) / std in float32: [3, crop, crop], RGB planes.
///
/// The same bits as mobilenet_tvm/preprocessing.py. Throws UserError, calling the image `source`, if it is so
/// narrow that its long side would become absurd.
std::vector<float> Preprocess(const Image& image, const Preprocessing& spec,
                              const std::string& source);

}  // namespace mobilenet_tvm
