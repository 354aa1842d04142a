#pragma once

#include <string>
#include <vector>

namespace mobilenet_tvm {

/// What one core can do at most, measured: multiply-adds of float32 per second, in units of 1e9, by the widest vectors that a
/// package built for `cpu_features` may use.
double MeasureFmaPeak(const std::vector<std::string>& cpu_features);

/// A loop of nothing but multiply-adds.
struct FmaLoop {
  float (*run)();
  double mult_adds;  ///< of one run
};

/// The loop of the widest vectors. One source file per architecture.
FmaLoop FmaLoopFor(const std::vector<std::string>& cpu_features);

}  // namespace mobilenet_tvm
