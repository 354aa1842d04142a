// CUDA's vector types, aligned as on the device, and the coordinates of a thread.
//
// A vector is read and written in one piece, as the device does it, so that it is one access for the checks and counters:
// its copies go by a vector type of the compiler's, which optimisation does not take apart.
#pragma once
#include "abi.h"

template <class T, int N>
using EmulatedVector = T __attribute__((ext_vector_type(N)));

// The members `...` of one type, and the same as one vector.
#define EMULATED_VECTOR_BODY(self, type, count, ...)                \
  union {                                                           \
    struct {                                                        \
      type __VA_ARGS__;                                             \
    };                                                              \
    EmulatedVector<type, count> emulated_vector;                    \
  };                                                                \
  self(const self& from) : emulated_vector(from.emulated_vector) {} \
  self& operator=(const self& from) {                               \
    emulated_vector = from.emulated_vector;                         \
    return *this;                                                   \
  }

#define EMULATED_SMALL_VECTORS(type, name)                                \
  struct name##1 { type x; };                                             \
  struct alignas(2 * sizeof(type)) name##2 {                              \
    EMULATED_VECTOR_BODY(name##2, type, 2, x, y)                          \
    name##2() = default;                                                  \
    name##2(type ax, type ay) : x(ax), y(ay) {}                           \
  };                                                                      \
  struct name##3 { type x, y, z; };                                       \
  static inline name##1 make_##name##1(type x) { return {x}; }            \
  static inline name##2 make_##name##2(type x, type y) { return {x, y}; } \
  static inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; }

#define EMULATED_VECTORS(type, name)                                            \
  EMULATED_SMALL_VECTORS(type, name)                                            \
  struct alignas(4 * sizeof(type)) name##4 {                                    \
    EMULATED_VECTOR_BODY(name##4, type, 4, x, y, z, w)                          \
    name##4() = default;                                                        \
    name##4(type ax, type ay, type az, type aw) : x(ax), y(ay), z(az), w(aw) {} \
  };                                                                            \
  static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }

// Of 32 bytes, which the device moves in two pieces.
#define EMULATED_WIDE_VECTORS(type, name)                                       \
  EMULATED_SMALL_VECTORS(type, name)                                            \
  struct alignas(16) name##4 {                                                  \
    union {                                                                     \
      struct {                                                                  \
        type x, y, z, w;                                                        \
      };                                                                        \
      EmulatedVector<type, 2> emulated_halves[2];                               \
    };                                                                          \
    name##4() = default;                                                        \
    name##4(type ax, type ay, type az, type aw) : x(ax), y(ay), z(az), w(aw) {} \
    name##4(const name##4 & from) { *this = from; }                             \
    name##4 & operator=(const name##4 & from) {                                 \
      emulated_halves[0] = from.emulated_halves[0];                             \
      emulated_halves[1] = from.emulated_halves[1];                             \
      return *this;                                                             \
    }                                                                           \
  };                                                                            \
  static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }

EMULATED_VECTORS(signed char, char)
EMULATED_VECTORS(unsigned char, uchar)
EMULATED_VECTORS(short, short)
EMULATED_VECTORS(unsigned short, ushort)
EMULATED_VECTORS(int, int)
EMULATED_VECTORS(unsigned, uint)
EMULATED_VECTORS(float, float)
EMULATED_WIDE_VECTORS(double, double)
EMULATED_WIDE_VECTORS(long long, longlong)
EMULATED_WIDE_VECTORS(unsigned long long, ulonglong)
#undef EMULATED_VECTORS
#undef EMULATED_WIDE_VECTORS
#undef EMULATED_SMALL_VECTORS

// Copies in pieces of 16 bytes, or in one of fewer.
template <int N, class T>
static inline void emulated_move(T* to, const T* from) {
  constexpr int kPiece = N * sizeof(T) <= 16 ? N : 16 / sizeof(T);
  using Piece = EmulatedVector<T, kPiece>;
  static_assert(N % kPiece == 0);
  for (int i = 0; i < N; i += kPiece)
    *reinterpret_cast<Piece*>(to + i) = *reinterpret_cast<const Piece*>(from + i);
}

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
