#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mobilenet_tvm {

/// What one core can do at most in a dtype.
struct Peak {
  std::string_view dtype;
  double gmacs;  ///< multiply-adds per second, in units of 1e9
};

/// The peaks, measured, by the widest vectors that a package built for `cpu_features` may use: of float32 first, then of each
/// dtype for which there are instructions of its own.
std::vector<Peak> MeasurePeaks(const std::vector<std::string>& cpu_features);

/// A loop of nothing but multiply-adds.
struct MultiplyAddLoop {
  std::string_view dtype;
  float (*run)();
  double mult_adds;  ///< of one run
};

/// The loops of the widest vectors, float32's first. One source file per architecture.
std::vector<MultiplyAddLoop> MultiplyAddLoopsFor(const std::vector<std::string>& cpu_features);

}  // namespace mobilenet_tvm
