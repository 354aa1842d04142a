// Products of small matrices by a warp: nvcuda::wmma.
//
// A fragment's elements are spread over the lanes: lane l holds elements l * count to (l + 1) * count - 1, counted along
// the rows of a row-major matrix, along the columns of a column-major one. (The device's own order is not documented.)
#pragma once
#include <string.h>

#include "half.h"
#include "warp.h"

namespace nvcuda {
namespace wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };

template <class Use, int M, int N, int K, class T, class Layout = void>
struct fragment {
  static_assert((M == 16 && N == 16) || (M == 8 && N == 32) || (M == 32 && N == 8),
                "no such wmma shape");
  static_assert(K == 16, "no such wmma shape");
  static constexpr int kRows = __is_same(Use, matrix_b) ? K : M;
  static constexpr int kColumns = __is_same(Use, matrix_a) ? K : N;
  static constexpr bool kByColumns = __is_same(Layout, col_major);
  enum { num_elements = kRows * kColumns / 32 };
  alignas(16) T x[num_elements];

  static int row(int position) { return kByColumns ? position % kRows : position / kColumns; }
  static int column(int position) { return kByColumns ? position / kRows : position % kColumns; }
};

template <class T>
static inline void emulated_check_matrix(const T* pointer, unsigned stride, int line) {
  if (reinterpret_cast<uintptr_t>(pointer) % 32 != 0)
    emulated_fail("wmma needs addresses that are multiples of 32", line);
  if (stride * sizeof(T) % 16 != 0)
    emulated_fail("wmma needs strides of a multiple of 16 bytes", line);
}

template <class Use, int M, int N, int K, class T, class L, class V>
static inline void fill_fragment(fragment<Use, M, N, K, T, L>& into, V value) {
  for (T& element : into.x) element = static_cast<T>(value);
}

template <class Use, int M, int N, int K, class T, class L>
static inline void load_matrix_sync(fragment<Use, M, N, K, T, L>& into, const T* from,
                                    unsigned stride, int line = __builtin_LINE()) {
  using F = fragment<Use, M, N, K, T, L>;
  static_assert(!__is_same(L, void), "an accumulator is loaded with its layout");
  emulated_check_matrix(from, stride, line);
  const int first = static_cast<int>(emulated_lane()) * F::num_elements;
  const T* mine = from + (F::kByColumns ? F::column(first) * stride + F::row(first)
                                        : F::row(first) * stride + F::column(first));
  emulated_move<F::num_elements>(into.x, mine);
}

template <int M, int N, int K, class T>
static inline void load_matrix_sync(fragment<accumulator, M, N, K, T>& into, const T* from,
                                    unsigned stride, layout_t layout, int line = __builtin_LINE()) {
  using F = fragment<accumulator, M, N, K, T>;
  emulated_check_matrix(from, stride, line);
  const int first = static_cast<int>(emulated_lane()) * F::num_elements;
  if (layout == mem_row_major) {
    emulated_move<F::num_elements>(into.x, from + F::row(first) * stride + F::column(first));
  } else {
    for (int i = 0; i < F::num_elements; ++i)
      into.x[i] = from[F::column(first + i) * stride + F::row(first + i)];
  }
}

template <int M, int N, int K, class T>
static inline void store_matrix_sync(T* to, const fragment<accumulator, M, N, K, T>& from,
                                     unsigned stride, layout_t layout,
                                     int line = __builtin_LINE()) {
  using F = fragment<accumulator, M, N, K, T>;
  emulated_check_matrix(to, stride, line);
  const int first = static_cast<int>(emulated_lane()) * F::num_elements;
  if (layout == mem_row_major) {
    emulated_move<F::num_elements>(to + F::row(first) * stride + F::column(first), from.x);
  } else {
    for (int i = 0; i < F::num_elements; ++i)
      to[F::column(first + i) * stride + F::row(first + i)] = from.x[i];
  }
}

}  // namespace wmma
}  // namespace nvcuda

using EmulatedFloats = float __attribute__((ext_vector_type(8)));

// d = a b + c in float, d and c of N columns.
template <int M, int N, int K>
EMULATED_UNCHECKED static inline void emulated_multiply(const float (&a)[M][K],
                                                        const float (&b)[K][N], float (&d)[M][N]) {
  for (int m = 0; m < M; ++m) {
    EmulatedFloats sums[N / 8];
    memcpy(sums, d[m], sizeof sums);
    for (int k = 0; k < K; ++k) {
      EmulatedFloats row[N / 8];
      memcpy(row, b[k], sizeof row);
      for (int n = 0; n < N / 8; ++n) sums[n] += a[m][k] * row[n];
    }
    memcpy(d[m], sums, sizeof sums);
  }
}

template <class F, int Rows, int Columns>
EMULATED_UNCHECKED static inline void emulated_gather(const F& fragment, int lane,
                                                      float (&into)[Rows][Columns]) {
  for (int i = 0; i < F::num_elements; ++i) {
    const int position = lane * F::num_elements + i;
    into[F::row(position)][F::column(position)] = static_cast<float>(fragment.x[i]);
  }
}

template <class D, class A, class B, class C>
struct EmulatedProduct {
  D* d;
  const A* a;
  const B* b;
  const C* c;

  EMULATED_UNCHECKED static void run(void** slots, unsigned mask) {
    if (mask != ~0U) emulated_fail("wmma needs all 32 lanes of a warp", 0);
    float a[A::kRows][A::kColumns];
    float b[B::kRows][B::kColumns];
    float d[D::kRows][D::kColumns];
    for (int lane = 0; lane < 32; ++lane) {
      auto* mine = static_cast<EmulatedProduct*>(slots[lane]);
      emulated_gather(*mine->a, lane, a);
      emulated_gather(*mine->b, lane, b);
      emulated_gather(*mine->c, lane, d);
    }
    emulated_multiply(a, b, d);
    for (int lane = 0; lane < 32; ++lane) {
      auto* mine = static_cast<EmulatedProduct*>(slots[lane]);
      for (int i = 0; i < D::num_elements; ++i) {
        const int position = lane * D::num_elements + i;
        mine->d->x[i] =
            static_cast<decltype(mine->d->x[0] + 0)>(d[D::row(position)][D::column(position)]);
      }
    }
  }
};

namespace nvcuda {
namespace wmma {
template <int M, int N, int K, class T, class A, class LA, class B, class LB, class C>
static inline void mma_sync(fragment<accumulator, M, N, K, T>& d,
                            const fragment<matrix_a, M, N, K, A, LA>& a,
                            const fragment<matrix_b, M, N, K, B, LB>& b,
                            const fragment<accumulator, M, N, K, C>& c,
                            int line = __builtin_LINE()) {
  static_assert(__is_same(A, half) && __is_same(B, half),
                "the emulated GPU multiplies matrices of half");
  static_assert(
      (__is_same(T, half) || __is_same(T, float)) && (__is_same(C, half) || __is_same(C, float)),
      "the emulated GPU accumulates in half and float");
  using Product =
      EmulatedProduct<fragment<accumulator, M, N, K, T>, fragment<matrix_a, M, N, K, A, LA>,
                      fragment<matrix_b, M, N, K, B, LB>, fragment<accumulator, M, N, K, C>>;
  Product product{&d, &a, &b, &c};
  emulated_collective(Product::run, "mma_sync", &product, ~0U, line);
}
}  // namespace wmma
}  // namespace nvcuda
