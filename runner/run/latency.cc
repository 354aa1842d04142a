#include "run/latency.h"

#include <algorithm>

namespace mobilenet_tvm {
namespace {

double Quantile(const std::vector<double>& sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(position);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - static_cast<double>(low));
}

}  // namespace

Latency Summarise(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return {times.front(), Quantile(times, 0.5), Quantile(times, 0.9), times.size()};
}

}  // namespace mobilenet_tvm
