#include "execution/block.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "checks/access.h"
#include "checks/async_copies.h"
#include "checks/shared_races.h"
#include "execution/fiber.h"
#include "execution/threads.h"

extern "C" {
alignas(1024) unsigned char emulated_shared[emulated::kSharedBytes];
}

namespace emulated {

namespace {

// All threads wait at a barrier or have ended: whether they all do the same.
bool PassBarrier(bool* done) {
  const Thread& first = block.threads.front();
  for (size_t i = 1; i < block.threads.size(); ++i) {
    const Thread& other = block.threads[i];
    if (other.state == first.state && (first.state == State::kDone || other.line == first.line)) {
      continue;
    }
    const bool first_waits = first.state == State::kBarrier;
    const size_t waiting = first_waits ? 0 : i;
    const Thread& elsewhere = first_waits ? other : first;
    return FailBlock(
        "__syncthreads() is not reached by all threads: thread " + std::to_string(waiting) +
        " waits at it" + AtLine(block.threads[waiting].line) + ", thread " +
        std::to_string(first_waits ? i : 0) +
        (elsewhere.state == State::kDone ? " has ended"
                                         : " waits at another" + AtLine(elsewhere.line)));
  }
  *done = first.state == State::kDone;
  for (Thread& thread : block.threads) {
    thread.state = State::kReady;
  }
  return true;
}

// What threads did before is in order with all that they do from here on.
void BeginPhase() {
  running.barrier_step = ++running.step;
  running.warp_step = running.step;
  block.warp_steps.fill(running.step);
}

void BeginBlock(unsigned poisoned_bytes) {
  DropCopies();
  BeginPhase();
  std::memset(emulated_shared, 0xFF, poisoned_bytes);
}

bool RunBlock(uintptr_t stacks) {
  BeginBlock(running.shared_bytes);
  for (size_t i = 0; i < block.threads.size(); ++i) {
    block.threads[i] = Thread();
    block.threads[i].stack = FreshStack(stacks + i * kStackBytes, ThreadStart);
  }
  for (bool done = false; !done;) {
    for (unsigned first = 0; first < block.threads.size(); first += kWarp) {
      if (!RunWarp(first)) {
        return false;
      }
    }
    if (!PassBarrier(&done)) {
      return false;
    }
    BeginPhase();
  }
  return true;
}

template <class Body>
bool ForEachBlock(const Shape& shape, Body body) {
  for (unsigned z = 0; z < shape.grid[2]; ++z) {
    for (unsigned y = 0; y < shape.grid[1]; ++y) {
      for (unsigned x = 0; x < shape.grid[0]; ++x) {
        running.coordinates[3] = x;
        running.coordinates[4] = y;
        running.coordinates[5] = z;
        if (!body()) {
          return false;
        }
      }
    }
  }
  return true;
}

// Threads that never wait share one stack.
void LoopStart() {
  ForEachBlock(*block.shape, [] {
    BeginBlock(running.shared_bytes);
    const unsigned count = block.shape->Threads();
    for (unsigned thread = 0; thread < count; ++thread) {
      SetThread(thread);
      running.kernel->enter(block.arguments);
      if (thread % kWarp == kWarp - 1 || thread + 1 == count) {
        FinishWarp();
      }
    }
    return true;
  });
  running.thread = 0;
  Yield();
  __builtin_unreachable();
}

void Prepare(const EmulatedKernel& kernel, const Shape& shape, void** arguments) {
  static const uintptr_t stacks = MapStacks(kMaxThreads);
  const unsigned count = shape.Threads();
  block.threads.assign(count, Thread());
  block.coordinates.resize(count);
  for (unsigned i = 0; i < count; ++i) {
    block.coordinates[i] = {i % shape.block[0], i / shape.block[0] % shape.block[1],
                            i / (shape.block[0] * shape.block[1])};
  }
  block.arguments = arguments;
  block.shape = &shape;
  block.failed = false;
  std::copy_n(shape.block.begin(), 3, &running.coordinates[6]);
  std::copy_n(shape.grid.begin(), 3, &running.coordinates[9]);
  running.stacks_begin = stacks;
  running.stacks_bytes = kMaxThreads * kStackBytes;
  running.kernel = &kernel;
  running.shared_bytes = kernel.static_shared_bytes;
  if (kernel.uses_dynamic_shared != 0) {
    running.shared_bytes = (running.shared_bytes + 127) / 128 * 128 + shape.dynamic_shared_bytes;
  }
  running.atomic = false;
  running.granule_shift = kernel.shared_granule == 4 ? 2 : 1;
  touched.fill({});
  running.step = 0;
}

}  // namespace

bool RunGrid(const EmulatedKernel& kernel, const Shape& shape, void** arguments) {
  Prepare(kernel, shape, arguments);
  if (kernel.collective != 0) {
    return ForEachBlock(shape, [] { return RunBlock(running.stacks_begin); });
  }
  SwitchStack(&block.scheduler, FreshStack(running.stacks_begin, LoopStart));
  return !block.failed;
}

}  // namespace emulated

extern "C" void emulated_barrier(int line) {
  emulated::Thread& self = emulated::block.threads[emulated::running.thread];
  self.state = emulated::State::kBarrier;
  self.line = line;
  emulated::Yield();
}
