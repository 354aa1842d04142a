#include <arm_neon.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "cpu/peak.h"

namespace mobilenet_tvm {
namespace {

constexpr std::int64_t kRounds = 50000;
// Sums in flight: more than a multiply-add's latency (7 cycles on a Cortex-A72) times its two units, fewer than the 32
// registers.
constexpr int kSums = 20;
constexpr int kLanes = 4;
constexpr int kInt8PerLane = 4;

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

__attribute__((target("dotprod"))) float RoundsInt8() {
  int32x4_t sums[kSums];
  std::fill(std::begin(sums), std::end(sums), vdupq_n_s32(0));
  const int8x16_t ones = vdupq_n_s8(1);
  for (std::int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 20
    for (int32x4_t& sum : sums) {
      sum = vdotq_s32(sum, ones, ones);
    }
  }
  int32x4_t total = sums[0];
  for (int j = 1; j < kSums; ++j) {
    total = vaddq_s32(total, sums[j]);
  }
  return static_cast<float>(vaddvq_s32(total));
}

}  // namespace

std::vector<MultiplyAddLoop> MultiplyAddLoopsFor(const std::vector<std::string>& cpu_features) {
  constexpr double kOfOneLane = static_cast<double>(kRounds) * kSums;
  std::vector<MultiplyAddLoop> loops = {{"float32", Rounds, kOfOneLane * kLanes}};
  if (std::find(cpu_features.begin(), cpu_features.end(), "asimddp") != cpu_features.end()) {
    loops.push_back({"int8", RoundsInt8, kOfOneLane * kLanes * kInt8PerLane});
  }
  return loops;
}

}  // namespace mobilenet_tvm
