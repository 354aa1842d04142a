#include "checks/shared_races.h"

#include <string>

namespace emulated {

std::array<Touched, kSharedBytes / kLeastGranule> touched;

namespace {

[[noreturn]] void FailRace(const Touched* at, bool writes, const std::string& who) {
  const size_t offset = static_cast<size_t>(at - touched.data()) << running.granule_shift;
  FailThread(std::string(writes ? "writes" : "reads") + " offset " + std::to_string(offset) +
             " of shared memory, which " + who + " with no barrier between");
}

[[noreturn]] void FailPending(const Touched* at, bool writes) {
  const size_t offset = static_cast<size_t>(at - touched.data()) << running.granule_shift;
  FailThread(
      std::string(writes ? "writes" : "reads") + " offset " + std::to_string(offset) +
      " of shared memory, to which a cp.async is on its way that its thread has not waited for");
}

bool SameWarp(unsigned thread) { return thread / kWarp == running.thread / kWarp; }

void CheckWriter(const Touched* at, bool writes) {
  if (at->write_step < running.barrier_step) {
    return;
  }
  if (at->write_step == kPending) {
    FailPending(at, writes);
  }
  if (at->writer == running.thread ||
      (SameWarp(at->writer) && at->write_step < running.warp_step)) {
    return;
  }
  FailRace(at, writes, "thread " + std::to_string(at->writer) + " writes");
}

}  // namespace

void WriteAfter(Touched* at) {
  CheckWriter(at, true);
  if (at->read_step < running.barrier_step || at->reader == running.thread) {
    return;
  }
  if (at->reader == kSeveral) {
    FailRace(at, true, "threads of other warps read");
  }
  const bool lanes = (at->reader & kLanes) != 0;
  const unsigned warp = lanes ? at->reader & ~kLanes : at->reader / kWarp;
  if (warp == running.thread / kWarp && at->read_step < running.warp_step) {
    return;
  }
  FailRace(at, true,
           lanes ? "threads of warp " + std::to_string(warp) + " read"
                 : "thread " + std::to_string(at->reader) + " reads");
}

void ReadAfter(Touched* at) {
  CheckWriter(at, false);
  const auto thread = static_cast<uint16_t>(running.thread);
  const auto lanes = static_cast<uint16_t>(kLanes | thread / kWarp);
  if (at->read_step < running.barrier_step || at->reader == thread) {
    at->reader = thread;
  } else if (at->reader != lanes) {
    at->reader = (at->reader & kLanes) == 0 && SameWarp(at->reader) ? lanes : kSeveral;
  }
  at->read_step = running.step;
}

void SetCopyPending(size_t offset, size_t bytes, bool pending) {
  const unsigned shift = running.granule_shift;
  for (size_t i = offset >> shift; i < (offset + bytes) >> shift; ++i) {
    touched[i].write_step = pending ? kPending : running.step;
    touched[i].writer = static_cast<uint16_t>(running.thread);
  }
}

}  // namespace emulated
