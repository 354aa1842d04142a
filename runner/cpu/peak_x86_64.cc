#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "cpu/peak.h"

namespace mobilenet_tvm {
namespace {

constexpr std::int64_t kRounds = 200000;
// Sums in flight: more than a multiply-add's latency times the units there are, fewer than 16 registers (clang leaves the
// upper half of AVX-512's alone here and spills).
constexpr int kSums = 12;
constexpr int kLanes256 = 8;
constexpr int kLanes512 = 16;
constexpr int kBfloat16PerLane = 2;
constexpr int kInt8PerLane = 4;

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

// Pairs of ones: sums stay far below what float32 counts exactly.
__attribute__((target("avx512f,avx512bf16"))) float RoundsBfloat16() {
  __m512 sums[kSums];
  std::fill(std::begin(sums), std::end(sums), _mm512_setzero_ps());
  const __m512bh ones = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1), _mm512_set1_ps(1));
  for (std::int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) {
      sum = _mm512_dpbf16_ps(sum, ones, ones);
    }
  }
  __m512 total = sums[0];
  for (int j = 1; j < kSums; ++j) {
    total = _mm512_add_ps(total, sums[j]);
  }
  return _mm512_cvtss_f32(total);
}

__attribute__((target("avx512f,avx512vnni"))) float RoundsInt8() {
  __m512i sums[kSums];
  std::fill(std::begin(sums), std::end(sums), _mm512_setzero_si512());
  const __m512i ones = _mm512_set1_epi8(1);
  for (std::int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512i& sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, ones, ones);
    }
  }
  __m512i total = sums[0];
  for (int j = 1; j < kSums; ++j) {
    total = _mm512_add_epi32(total, sums[j]);
  }
  return static_cast<float>(_mm512_cvtsi512_si32(total));
}

__attribute__((target("avx2,avxvnni"))) float RoundsInt8Of256() {
  __m256i sums[kSums];
  std::fill(std::begin(sums), std::end(sums), _mm256_setzero_si256());
  const __m256i ones = _mm256_set1_epi8(1);
  for (std::int64_t i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m256i& sum : sums) {
      sum = _mm256_dpbusd_avx_epi32(sum, ones, ones);
    }
  }
  __m256i total = sums[0];
  for (int j = 1; j < kSums; ++j) {
    total = _mm256_add_epi32(total, sums[j]);
  }
  return static_cast<float>(_mm256_cvtsi256_si32(total));
}

}  // namespace

std::vector<MultiplyAddLoop> MultiplyAddLoopsFor(const std::vector<std::string>& cpu_features) {
  const auto has = [&cpu_features](std::string_view feature) {
    return std::find(cpu_features.begin(), cpu_features.end(), feature) != cpu_features.end();
  };
  constexpr double kOfOneLane = static_cast<double>(kRounds) * kSums;
  std::vector<MultiplyAddLoop> loops;
  loops.push_back(has("avx512f") ? MultiplyAddLoop{"float32", Rounds512, kOfOneLane * kLanes512}
                                 : MultiplyAddLoop{"float32", Rounds256, kOfOneLane * kLanes256});
  if (has("avx512_bf16")) {
    loops.push_back({"bfloat16", RoundsBfloat16, kOfOneLane * kLanes512 * kBfloat16PerLane});
  }
  if (has("avx512_vnni")) {
    loops.push_back({"int8", RoundsInt8, kOfOneLane * kLanes512 * kInt8PerLane});
  } else if (has("avx_vnni")) {
    loops.push_back({"int8", RoundsInt8Of256, kOfOneLane * kLanes256 * kInt8PerLane});
  }
  return loops;
}

}  // namespace mobilenet_tvm
