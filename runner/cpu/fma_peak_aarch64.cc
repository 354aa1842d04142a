#include <arm_neon.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>

#include "cpu/fma_peak.h"

namespace mobilenet_tvm {
namespace {

constexpr std::int64_t kRounds = 50000;
constexpr int kRepeats = 9;
// Sums in flight: more than a multiply-add's latency (7 cycles on a Cortex-A72) times its two units, fewer than the 32
// registers.
constexpr int kSums = 20;
constexpr int kLanes = 4;

float Rounds(std::int64_t rounds, float factor) {
  float32x4_t sums[kSums];
  std::fill(std::begin(sums), std::end(sums), vdupq_n_f32(0));
  const float32x4_t factors = vdupq_n_f32(factor);
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 20
    for (float32x4_t& sum : sums) {
      sum = vfmaq_f32(sum, factors, factors);
    }
  }
  float32x4_t total = sums[0];
  for (int j = 1; j < kSums; ++j) {
    total = vaddq_f32(total, sums[j]);
  }
  return vaddvq_f32(total);
}

}  // namespace

double MeasureFmaPeak(const std::vector<std::string>& /*cpu_features*/) {
  constexpr double kMultAdds = static_cast<double>(kRounds) * (kSums * kLanes);
  using Clock = std::chrono::steady_clock;
  double best = 0;
  // The compiler must not know it: it would add the product instead of multiplying.
  const volatile float factor = 0.5F;
  volatile float sink = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const auto begin = Clock::now();
    sink = Rounds(kRounds, factor);
    const std::chrono::duration<double> spent = Clock::now() - begin;
    best = std::max(best, kMultAdds / spent.count());
  }
  static_cast<void>(sink);
  return best * 1e-9;
}

}  // namespace mobilenet_tvm
