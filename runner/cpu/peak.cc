#include "cpu/peak.h"

#include <algorithm>
#include <chrono>

namespace mobilenet_tvm {
namespace {

double MeasureGmacs(const MultiplyAddLoop& loop) {
  constexpr int kRepeats = 9;
  using Clock = std::chrono::steady_clock;
  double best = 0;
  volatile float sink = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const auto begin = Clock::now();
    sink = loop.run();
    const std::chrono::duration<double> spent = Clock::now() - begin;
    best = std::max(best, loop.mult_adds / spent.count());
  }
  static_cast<void>(sink);
  return best * 1e-9;
}

}  // namespace

std::vector<Peak> MeasurePeaks(const std::vector<std::string>& cpu_features) {
  std::vector<Peak> peaks;
  for (const MultiplyAddLoop& loop : MultiplyAddLoopsFor(cpu_features)) {
    peaks.push_back({loop.dtype, MeasureGmacs(loop)});
  }
  return peaks;
}

}  // namespace mobilenet_tvm
