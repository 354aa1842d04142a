// Barriers, votes and shuffles. The macros carry the line of the source, which names a call in messages and tells calls
// apart that optimisation has duplicated.
#pragma once
#include <string.h>

#include "abi.h"

#define __syncthreads() emulated_barrier(__LINE__)
#define __activemask() emulated_active_mask(__LINE__)
#define __syncwarp(...) emulated_warp_barrier(__LINE__, ##__VA_ARGS__)
#define __ballot_sync(mask, predicate) emulated_ballot(mask, (predicate) != 0, __LINE__)
#define __any_sync(mask, predicate) (emulated_ballot(mask, (predicate) != 0, __LINE__) != 0)
#define __all_sync(mask, predicate) (emulated_ballot(mask, (predicate) == 0, __LINE__) == 0)
#define __shfl_sync(mask, ...) \
  emulated_shuffle(EmulatedShuffle::kIndex, mask, __LINE__, __VA_ARGS__)
#define __shfl_up_sync(mask, ...) \
  emulated_shuffle(EmulatedShuffle::kUp, mask, __LINE__, __VA_ARGS__)
#define __shfl_down_sync(mask, ...) \
  emulated_shuffle(EmulatedShuffle::kDown, mask, __LINE__, __VA_ARGS__)
#define __shfl_xor_sync(mask, ...) \
  emulated_shuffle(EmulatedShuffle::kXor, mask, __LINE__, __VA_ARGS__)

#define EMULATED_UNCHECKED __attribute__((no_sanitize("thread")))

EMULATED_UNCHECKED static inline void emulated_nothing(void**, unsigned) {}

static inline void emulated_warp_barrier(int line, unsigned mask = ~0U) {
  emulated_collective(emulated_nothing, "__syncwarp", nullptr, mask, line);
}

struct EmulatedVote {
  bool predicate;
  unsigned result;
};

EMULATED_UNCHECKED static inline void emulated_vote(void** slots, unsigned mask) {
  unsigned result = 0;
  for (int lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1) != 0 && static_cast<EmulatedVote*>(slots[lane])->predicate)
      result |= 1U << lane;
  }
  for (int lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1) != 0) static_cast<EmulatedVote*>(slots[lane])->result = result;
  }
}

EMULATED_UNCHECKED static inline unsigned emulated_ballot(unsigned mask, bool predicate, int line) {
  EmulatedVote vote{predicate, 0};
  emulated_collective(emulated_vote, "a vote", &vote, mask, line);
  return vote.result;
}

enum class EmulatedShuffle { kIndex, kUp, kDown, kXor };

struct EmulatedExchange {
  uint64_t value, result;
  int source;  // a lane outside of the group, or of the mask: undefined on the device, all ones here
};

EMULATED_UNCHECKED static inline void emulated_exchange(void** slots, unsigned mask) {
  for (int lane = 0; lane < 32; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    auto* mine = static_cast<EmulatedExchange*>(slots[lane]);
    mine->result = (mask >> mine->source & 1) != 0
                       ? static_cast<EmulatedExchange*>(slots[mine->source])->value
                       : ~0ULL;
  }
}

template <class T>
EMULATED_UNCHECKED static inline T emulated_shuffle(EmulatedShuffle kind, unsigned mask, int line,
                                                    T value, int by, int width = 32) {
  static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes");
  const int lane = static_cast<int>(emulated_lane());
  const int first = lane / width * width;
  int source = lane;
  if (kind == EmulatedShuffle::kIndex) source = first + (by & (width - 1));
  if (kind == EmulatedShuffle::kUp && lane - by >= first) source = lane - by;
  if (kind == EmulatedShuffle::kDown && lane + by < first + width) source = lane + by;
  if (kind == EmulatedShuffle::kXor && (lane ^ by) < first + width) source = lane ^ by;
  EmulatedExchange exchange{0, 0, source};
  memcpy(&exchange.value, &value, sizeof value);
  emulated_collective(emulated_exchange, "a shuffle", &exchange, mask, line);
  memcpy(&value, &exchange.result, sizeof value);
  return value;
}
