#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "cpu/fma_peak.h"

namespace mobilenet_tvm {
namespace {

constexpr std::int64_t kRounds = 200000;
// Sums in flight: more than a multiply-add's latency times the units there are, fewer than 16 registers (clang leaves the
// upper half of AVX-512's alone here and spills).
constexpr int kSums = 12;
constexpr int kLanes256 = 8;
constexpr int kLanes512 = 16;

// x/2 + 1/2 tends to 1: neither denormals, which are slow, nor infinities.
__attribute__((target("avx2,fma"))) float Rounds256() {
  __m256 sums[kSums];
  std::fill(std::begin(sums), std::end(sums), _mm256_setzero_ps());
  const __m256 factor = _mm256_set1_ps(0.5F);
  for (std::int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m256& sum : sums) {
      sum = _mm256_fmadd_ps(sum, factor, factor);
    }
  }
  __m256 total = sums[0];
  for (int j = 1; j < kSums; ++j) {
    total = _mm256_add_ps(total, sums[j]);
  }
  return _mm256_cvtss_f32(total);
}

__attribute__((target("avx512f"))) float Rounds512() {
  __m512 sums[kSums];
  std::fill(std::begin(sums), std::end(sums), _mm512_setzero_ps());
  const __m512 factor = _mm512_set1_ps(0.5F);
  for (std::int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) {
      sum = _mm512_fmadd_ps(sum, factor, factor);
    }
  }
  __m512 total = sums[0];
  for (int j = 1; j < kSums; ++j) {
    total = _mm512_add_ps(total, sums[j]);
  }
  return _mm512_cvtss_f32(total);
}

}  // namespace

FmaLoop FmaLoopFor(const std::vector<std::string>& cpu_features) {
  const bool wide =
      std::find(cpu_features.begin(), cpu_features.end(), "avx512f") != cpu_features.end();
  const double of_one_lane = static_cast<double>(kRounds) * kSums;
  return wide ? FmaLoop{Rounds512, of_one_lane * kLanes512}
              : FmaLoop{Rounds256, of_one_lane * kLanes256};
}

}  // namespace mobilenet_tvm
