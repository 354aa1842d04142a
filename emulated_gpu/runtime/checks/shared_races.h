// Shared memory that one thread writes and another touches, with no barrier between: a race, whatever the order here.
//
// Time is counted in steps: each barrier of the block and each collective operation of a warp begins one. What happened
// before the block's last barrier, or before the last collective operation of the own warp, is in order.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "execution/block.h"

namespace emulated {

// Who touched some bytes last, and when.
struct Touched {
  uint32_t write_step = 0;
  uint32_t read_step = 0;
  uint16_t writer = 0;
  uint16_t reader = 0;  // a thread, or kLanes and a warp, or kSeveral
};

constexpr uint32_t kPending = UINT32_MAX;  // as write_step: a copy is on its way
constexpr uint16_t kLanes = 0x8000;
constexpr uint16_t kSeveral = 0xFFFF;
constexpr size_t kLeastGranule = 2;

extern std::array<Touched, kSharedBytes / kLeastGranule> touched;

// The running thread touches what somebody touched since the last barrier; it fails if that is a race.
void ReadAfter(Touched* at);
void WriteAfter(Touched* at);

// The running thread touches bytes of shared memory. It fails if another did since the last barrier, or if a copy that
// nobody has waited for is on its way there.
inline void AccessShared(size_t offset, size_t bytes, bool writes) {
  if (running.atomic) {
    return;
  }
  const unsigned shift = running.granule_shift;
  for (size_t i = offset >> shift; i < (offset + bytes) >> shift; ++i) {
    Touched* at = &touched[i];
    const uint32_t since = running.barrier_step;
    if (writes) {
      if (at->write_step >= since || at->read_step >= since) {
        WriteAfter(at);
      }
      at->write_step = running.step;
      at->writer = static_cast<uint16_t>(running.thread);
    } else {
      if (at->write_step >= since || at->read_step >= since) {
        if (at->reader == kSeveral && at->read_step >= since && at->write_step < since) {
          continue;
        }
        ReadAfter(at);
        continue;
      }
      at->read_step = running.step;
      at->reader = static_cast<uint16_t>(running.thread);
    }
  }
}

// A copy into shared memory is on its way, or has arrived.
void SetCopyPending(size_t offset, size_t bytes, bool pending);

}  // namespace emulated
