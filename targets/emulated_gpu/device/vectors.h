// CUDA's vector types, aligned as on the device, and the coordinates of a thread.
#pragma once
#include "abi.h"

#define EMULATED_VECTORS(type, name, two, four)                                            \
  struct name##1 {                                                                         \
    type x;                                                                                \
  };                                                                                       \
  struct alignas(two) name##2 {                                                            \
    type x, y;                                                                             \
  };                                                                                       \
  struct name##3 {                                                                         \
    type x, y, z;                                                                          \
  };                                                                                       \
  struct alignas(four) name##4 {                                                           \
    type x, y, z, w;                                                                       \
  };                                                                                       \
  static inline name##1 make_##name##1(type x) { return {x}; }                             \
  static inline name##2 make_##name##2(type x, type y) { return {x, y}; }                  \
  static inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; }       \
  static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }

EMULATED_VECTORS(signed char, char, 2, 4)
EMULATED_VECTORS(unsigned char, uchar, 2, 4)
EMULATED_VECTORS(short, short, 4, 8)
EMULATED_VECTORS(unsigned short, ushort, 4, 8)
EMULATED_VECTORS(int, int, 8, 16)
EMULATED_VECTORS(unsigned, uint, 8, 16)
EMULATED_VECTORS(float, float, 8, 16)
EMULATED_VECTORS(double, double, 16, 16)
EMULATED_VECTORS(long long, longlong, 16, 16)
EMULATED_VECTORS(unsigned long long, ulonglong, 16, 16)
#undef EMULATED_VECTORS

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

template <int First>
struct EmulatedCoordinates {
  struct Axis {
    int which;
    operator unsigned() const { return emulated_coordinate(which); }
  };
  Axis x{First}, y{First + 1}, z{First + 2};
};
static constexpr EmulatedCoordinates<0> threadIdx;
static constexpr EmulatedCoordinates<3> blockIdx;
static constexpr EmulatedCoordinates<6> blockDim;
static constexpr EmulatedCoordinates<9> gridDim;
static constexpr int warpSize = 32;
