#include <arm_neon.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "cpu/fma_peak.h"

namespace mobilenet_tvm {
namespace {

constexpr std::int64_t kRounds = 50000;
// Sums in flight: more than a multiply-add's latency (7 cycles on a Cortex-A72) times its two units, fewer than the 32
// registers.
constexpr int kSums = 20;
constexpr int kLanes = 4;

float Rounds() {
  // The compiler must not know it: it would add the product instead of multiplying.
  const volatile float factor = 0.5F;
  float32x4_t sums[kSums];
  std::fill(std::begin(sums), std::end(sums), vdupq_n_f32(0));
  const float32x4_t factors = vdupq_n_f32(factor);
  for (std::int64_t i = 0; i < kRounds; ++i) {
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

FmaLoop FmaLoopFor(const std::vector<std::string>& /*cpu_features*/) {
  return {Rounds, static_cast<double>(kRounds) * (kSums * kLanes)};
}

}  // namespace mobilenet_tvm
