#pragma once

#include <cstddef>
#include <vector>

namespace mobilenet_tvm {

struct Ranked {
  std::size_t class_id;
  double probability;  ///< softmax over all classes
};

/// The `count` classes with the highest scores, best first, ties by class. Throws SystemError on NaN.
std::vector<Ranked> TopK(const float* scores, std::size_t classes, std::size_t count);

}  // namespace mobilenet_tvm
