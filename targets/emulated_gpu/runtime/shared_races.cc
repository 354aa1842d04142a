#include "shared_races.h"

#include <array>
#include <string>

#include "block.h"

namespace emulated {
namespace {

constexpr size_t kGranule = 2;  // bytes; single bytes are not watched
constexpr uint16_t kSeveral = 0xFFFF;

// Who touched two bytes last, and when. A stamp of an older epoch says nothing: a barrier came between.
struct Touched {
  uint32_t write_epoch = 0;
  uint32_t read_epoch = 0;
  uint16_t writer = 0;
  uint16_t writer_warp_epoch = 0;
  uint16_t reader = 0;  // kSeveral: lanes of one warp
  uint16_t reader_warp_epoch = 0;
  uint16_t reader_warp = 0;  // kSeveral: warps
  bool pending = false;
};
std::array<Touched, kSharedBytes / kGranule> touched;

[[noreturn]] void FailRace(size_t offset, bool writes, const std::string& who) {
  FailThread(std::string(writes ? "writes" : "reads") + " offset " + std::to_string(offset) + " of shared memory, which " +
             who + " with no barrier between");
}

// Whether that write happened before anything that the running thread does now.
bool Ordered(uint16_t thread, uint16_t warp_epoch) {
  return thread == running.thread ||
         (thread / kWarp == running.thread / kWarp && warp_epoch != running.warp_epoch);
}

void Write(Touched* at, size_t offset) {
  if (at->write_epoch == running.epoch && !Ordered(at->writer, at->writer_warp_epoch)) {
    FailRace(offset, true, "thread " + std::to_string(at->writer) + " writes");
  }
  if (at->read_epoch == running.epoch) {
    const bool other_warp = at->reader_warp != running.thread / kWarp;
    const bool other_lane = at->reader != running.thread && at->reader_warp_epoch == running.warp_epoch;
    if (other_warp || other_lane) {
      FailRace(offset, true, at->reader == kSeveral ? "other threads read" : "thread " + std::to_string(at->reader) + " reads");
    }
  }
  at->write_epoch = running.epoch;
  at->writer = static_cast<uint16_t>(running.thread);
  at->writer_warp_epoch = running.warp_epoch;
}

void Read(Touched* at, size_t offset) {
  if (at->write_epoch == running.epoch && !Ordered(at->writer, at->writer_warp_epoch)) {
    FailRace(offset, false, "thread " + std::to_string(at->writer) + " writes");
  }
  const auto thread = static_cast<uint16_t>(running.thread);
  const auto warp = static_cast<uint16_t>(thread / kWarp);
  if (at->read_epoch != running.epoch) {
    at->read_epoch = running.epoch;
    at->reader = thread;
    at->reader_warp = warp;
    at->reader_warp_epoch = running.warp_epoch;
    return;
  }
  if (at->reader_warp != warp) at->reader_warp = kSeveral;
  if (at->reader_warp_epoch != running.warp_epoch) {
    at->reader_warp_epoch = running.warp_epoch;
    at->reader = at->reader_warp == kSeveral ? kSeveral : thread;
  } else if (at->reader != thread) {
    at->reader = kSeveral;
  }
}

}  // namespace

void AccessShared(size_t offset, size_t bytes, bool writes) {
  if (running.atomic || bytes < kGranule) return;
  for (size_t i = offset / kGranule; i < (offset + bytes) / kGranule; ++i) {
    Touched& at = touched[i];
    if (at.pending) {
      FailThread(std::string(writes ? "writes" : "reads") + " offset " + std::to_string(i * kGranule) +
                 " of shared memory, to which a cp.async is on its way that its thread has not waited for");
    }
    if (writes) {
      Write(&at, i * kGranule);
    } else {
      Read(&at, i * kGranule);
    }
  }
}

void SetCopyPending(size_t offset, size_t bytes, bool pending) {
  for (size_t i = offset / kGranule; i < (offset + bytes) / kGranule; ++i) touched[i].pending = pending;
}

}  // namespace emulated
