#pragma once

#include <cstddef>
#include <vector>

namespace mobilenet_tvm {

/// Times in milliseconds.
struct Latency {
  double min;
  double median;
  double p90;
  std::size_t runs;
};

/// Quantiles with linear interpolation, as numpy.percentile has them; `times` has at least one element.
Latency Summarise(std::vector<double> times);

}  // namespace mobilenet_tvm
