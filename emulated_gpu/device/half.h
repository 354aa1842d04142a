// CUDA's half and half2. Every operation rounds to half, as on the device (-ffloat16-excess-precision=none).
#pragma once
#include "arithmetic.h"
#include "vectors.h"

using half = _Float16;
using __half = _Float16;

struct alignas(4) half2 {
  EMULATED_VECTOR_BODY(half2, half, 2, x, y)
  half2() = default;
  half2(half ax, half ay) : x(ax), y(ay) {}
};
using __half2 = half2;

static inline half2 make_half2(half x, half y) { return {x, y}; }
static inline float __half2float(half x) { return static_cast<float>(x); }
static inline half __float2half(float x) { return static_cast<half>(x); }
static inline half __float2half_rn(float x) { return static_cast<half>(x); }
static inline half __ushort_as_half(unsigned short x) { return emulated_bits<half>(x); }
static inline unsigned short __half_as_ushort(half x) { return emulated_bits<unsigned short>(x); }
static inline half2 __halves2half2(half x, half y) { return {x, y}; }
static inline half2 __half2half2(half x) { return {x, x}; }
static inline half2 __float2half2_rn(float x) {
  return {static_cast<half>(x), static_cast<half>(x)};
}
static inline half2 __floats2half2_rn(float x, float y) {
  return {static_cast<half>(x), static_cast<half>(y)};
}
static inline float __low2float(half2 v) { return static_cast<float>(v.x); }
static inline float __high2float(half2 v) { return static_cast<float>(v.y); }
static inline half __low2half(half2 v) { return v.x; }
static inline half __high2half(half2 v) { return v.y; }

static inline half __hadd(half x, half y) { return x + y; }
static inline half __hsub(half x, half y) { return x - y; }
static inline half __hmul(half x, half y) { return x * y; }
static inline half __hdiv(half x, half y) { return x / y; }
static inline half __hneg(half x) { return -x; }
// The double product is exact, and so is its sum with a half to far more digits than one rounding needs.
static inline half __hfma(half x, half y, half z) {
  return static_cast<half>(static_cast<double>(x) * static_cast<double>(y) +
                           static_cast<double>(z));
}
static inline bool __hgt(half x, half y) { return x > y; }
static inline bool __hge(half x, half y) { return x >= y; }
static inline bool __hlt(half x, half y) { return x < y; }
static inline bool __hle(half x, half y) { return x <= y; }
static inline bool __heq(half x, half y) { return x == y; }
static inline bool __hne(half x, half y) { return x != y; }
static inline bool __hisnan(half x) { return x != x; }
static inline half __hmax(half x, half y) { return static_cast<half>(fmaxf(x, y)); }
static inline half __hmin(half x, half y) { return static_cast<half>(fminf(x, y)); }
static inline half __habs(half x) { return static_cast<half>(fabsf(x)); }
static inline half hexp(half x) { return static_cast<half>(expf(x)); }
static inline half hexp2(half x) { return static_cast<half>(exp2f(x)); }
static inline half hlog(half x) { return static_cast<half>(logf(x)); }
static inline half hlog2(half x) { return static_cast<half>(log2f(x)); }
static inline half hsqrt(half x) { return static_cast<half>(sqrtf(x)); }
static inline half hrsqrt(half x) { return static_cast<half>(rsqrtf(x)); }
static inline half hrcp(half x) { return static_cast<half>(1.0F / static_cast<float>(x)); }
static inline half hsin(half x) { return static_cast<half>(sinf(x)); }
static inline half hcos(half x) { return static_cast<half>(cosf(x)); }
static inline half htanh(half x) { return static_cast<half>(tanhf(x)); }
static inline half hfloor(half x) { return static_cast<half>(floorf(x)); }
static inline half hceil(half x) { return static_cast<half>(ceilf(x)); }
static inline half htrunc(half x) { return static_cast<half>(truncf(x)); }
static inline half hrint(half x) { return static_cast<half>(rintf(x)); }

static inline half2 __hadd2(half2 a, half2 b) { return {__hadd(a.x, b.x), __hadd(a.y, b.y)}; }
static inline half2 __hsub2(half2 a, half2 b) { return {__hsub(a.x, b.x), __hsub(a.y, b.y)}; }
static inline half2 __hmul2(half2 a, half2 b) { return {__hmul(a.x, b.x), __hmul(a.y, b.y)}; }
static inline half2 __h2div(half2 a, half2 b) { return {__hdiv(a.x, b.x), __hdiv(a.y, b.y)}; }
static inline half2 __hmax2(half2 a, half2 b) { return {__hmax(a.x, b.x), __hmax(a.y, b.y)}; }
static inline half2 __hmin2(half2 a, half2 b) { return {__hmin(a.x, b.x), __hmin(a.y, b.y)}; }
static inline half2 __hfma2(half2 a, half2 b, half2 c) {
  return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
}
static inline half2 operator+(half2 a, half2 b) { return __hadd2(a, b); }
static inline half2 operator-(half2 a, half2 b) { return __hsub2(a, b); }
static inline half2 operator*(half2 a, half2 b) { return __hmul2(a, b); }
static inline half2 operator/(half2 a, half2 b) { return __h2div(a, b); }
