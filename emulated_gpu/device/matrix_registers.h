// Products of small matrices by a warp as the inline PTX has them: registers of known layout, and how they are loaded.
#pragma once
#include <string.h>

#include "matrix.h"

// mma.sync.aligned.m16n8k{8,16}.row.col: registers of 32 bits, two halves each.
template <int K, class Accumulator>
struct EmulatedMma {
  unsigned a[K / 4];
  unsigned b[K / 8];
  union {
    Accumulator d[4];
    unsigned words[sizeof(Accumulator)];
  };

  void accumulate(const float (&c)[4], int line) { accumulate_from(c, line); }
  void accumulate(const unsigned (&c)[2], int line) { accumulate_from(c, line); }
  template <class From>
  void accumulate_from(const From& c, int line) {
    static_assert(sizeof c == sizeof d, "mma.sync takes an accumulator of its result's type");
    memcpy(d, c, sizeof c);
    emulated_collective(run, "mma.sync", this, ~0U, line);
  }

  EMULATED_UNCHECKED static half part(unsigned word, int which) {
    return emulated_bits<half>(static_cast<unsigned short>(word >> 16 * which));
  }

  EMULATED_UNCHECKED static void run(void** slots, unsigned mask) {
    if (mask != ~0U) emulated_fail("mma.sync needs all 32 lanes of a warp", 0);
    float a[16][K];
    float b[K][8];
    float d[16][8];
    for (int lane = 0; lane < 32; ++lane) {
      const auto* mine = static_cast<EmulatedMma*>(slots[lane]);
      const int group = lane / 4;
      const int pair = lane % 4 * 2;
      for (int i = 0; i < K / 2; ++i) {
        a[group + i / 2 % 2 * 8][pair + i % 2 + i / 4 * 8] =
            static_cast<float>(part(mine->a[i / 2], i % 2));
      }
      for (int i = 0; i < K / 4; ++i)
        b[pair + i % 2 + i / 2 * 8][group] = static_cast<float>(part(mine->b[i / 2], i % 2));
      for (int i = 0; i < 4; ++i)
        d[group + i / 2 * 8][pair + i % 2] = static_cast<float>(mine->d[i]);
    }
    emulated_multiply(a, b, d);
    for (int lane = 0; lane < 32; ++lane) {
      auto* mine = static_cast<EmulatedMma*>(slots[lane]);
      for (int i = 0; i < 4; ++i)
        mine->d[i] = static_cast<Accumulator>(d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2]);
    }
  }
};

// ldmatrix: lane l hands over row l % 8 of matrix l / 8, and gets two elements of every matrix.
template <int Count, bool Transposed>
struct EmulatedLoadMatrix {
  alignas(16) unsigned short row[8];
  unsigned result[Count];

  void read(const unsigned char* from, int line) {
    if (emulated_lane() < 8 * Count) {
      if (reinterpret_cast<uintptr_t>(from) % 16 != 0)
        emulated_fail("ldmatrix needs addresses that are multiples of 16", line);
      emulated_move<8>(row, reinterpret_cast<const unsigned short*>(from));
    }
    emulated_collective(run, "ldmatrix", this, ~0U, line);
  }

  EMULATED_UNCHECKED static void run(void** slots, unsigned mask) {
    if (mask != ~0U) emulated_fail("ldmatrix needs all 32 lanes of a warp", 0);
    for (int lane = 0; lane < 32; ++lane) {
      auto* mine = static_cast<EmulatedLoadMatrix*>(slots[lane]);
      for (int matrix = 0; matrix < Count; ++matrix) {
        unsigned short parts[2];
        for (int i = 0; i < 2; ++i) {
          const int row = Transposed ? lane % 4 * 2 + i : lane / 4;
          const int column = Transposed ? lane / 4 : lane % 4 * 2 + i;
          parts[i] = static_cast<EmulatedLoadMatrix*>(slots[matrix * 8 + row])->row[column];
        }
        mine->result[matrix] = parts[0] | static_cast<unsigned>(parts[1]) << 16;
      }
    }
  }
};
