#include "cpu/fma_peak.h"

#include <algorithm>
#include <chrono>

namespace mobilenet_tvm {

double MeasureFmaPeak(const std::vector<std::string>& cpu_features) {
  constexpr int kRepeats = 9;
  using Clock = std::chrono::steady_clock;
  const FmaLoop loop = FmaLoopFor(cpu_features);
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

}  // namespace mobilenet_tvm
