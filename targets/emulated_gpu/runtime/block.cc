#include "block.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "access.h"
#include "async_copies.h"
#include "failure.h"
#include "fiber.h"
#include "shared_races.h"

extern "C" {
alignas(1024) unsigned char emulated_shared[emulated::kSharedBytes];
}

namespace emulated {

Running running;

namespace {

enum class State : uint8_t { kReady, kBarrier, kCollective, kActiveMask, kDone };

struct Thread {
  void* stack = nullptr;
  State state = State::kReady;
  int line = 0;
  unsigned mask = 0;
  EmulatedOperation operation = nullptr;
  const char* name = nullptr;
  void* slot = nullptr;
};

struct Block {
  std::vector<Thread> threads;
  std::vector<std::array<unsigned, 3>> coordinates;
  std::array<uint32_t, kMaxThreads / kWarp> warp_steps{};
  void* scheduler = nullptr;  // its stack, while a thread runs
  void** arguments = nullptr;
  const Shape* shape = nullptr;
  bool failed = false;
};
Block block;

std::string Triple(const unsigned* values) {
  return "(" + std::to_string(values[0]) + ", " + std::to_string(values[1]) + ", " +
         std::to_string(values[2]) + ")";
}

std::string AtLine(int line) {
  return line > 0 ? " (kernels.cu, line " + std::to_string(line) + ")" : "";
}

std::string Where() {
  return "kernel " + std::string(running.kernel->name) + ", block " +
         Triple(&running.coordinates[3]);
}

void SetThread(unsigned thread) {
  running.thread = thread;
  std::copy_n(block.coordinates[thread].begin(), 3, running.coordinates.begin());
}

// What FailThread is for the scheduler itself.
bool Fail(const std::string& message) {
  Report(Where() + ": " + message);
  block.failed = true;
  return false;
}

void Yield() {
  Thread& self = block.threads[running.thread];
  SwitchStack(&self.stack, block.scheduler);
}

void ThreadStart() {
  running.kernel->enter(block.arguments);
  block.threads[running.thread].state = State::kDone;
  Yield();
  __builtin_unreachable();
}

void Resume(unsigned thread) {
  SetThread(thread);
  running.warp_step = block.warp_steps[thread / kWarp];
  SwitchStack(&block.scheduler, block.threads[thread].stack);
}

// Lanes that wait for the mask of those beside them get it, call by call.
bool ResolveActiveMasks(Thread* lanes, unsigned count) {
  bool any = false;
  for (unsigned i = 0; i < count; ++i) {
    if (lanes[i].state != State::kActiveMask) {
      continue;
    }
    unsigned mask = 0;
    for (unsigned j = i; j < count; ++j) {
      if (lanes[j].state == State::kActiveMask && lanes[j].line == lanes[i].line) {
        mask |= 1U << j;
      }
    }
    const int line = lanes[i].line;
    for (unsigned j = i; j < count; ++j) {
      if (lanes[j].state != State::kActiveMask || lanes[j].line != line) {
        continue;
      }
      lanes[j].mask = mask;
      lanes[j].state = State::kReady;
    }
    any = true;
  }
  return any;
}

bool FailStuckLanes(const Thread* lanes, unsigned count, unsigned first) {
  const Thread* stuck = std::find_if(lanes, lanes + count,
                                     [](const Thread& t) { return t.state == State::kCollective; });
  const unsigned present = count == kWarp ? ~0U : (1U << count) - 1;
  unsigned missing = stuck->mask & present;
  for (unsigned i = 0; i < count; ++i) {
    if (lanes[i].state == State::kCollective && lanes[i].line == stuck->line &&
        lanes[i].operation == stuck->operation) {
      missing &= ~(1U << i);
    }
  }
  const auto lane = static_cast<unsigned>(__builtin_ctz(missing | 1U << 31));
  const bool ended = lanes[lane].state == State::kDone;
  return Fail(
      "warp " + std::to_string(first / kWarp) + ": thread " + std::to_string(first + lane) +
      (ended ? " has ended, and" : " waits elsewhere" + AtLine(lanes[lane].line) + ", and") +
      " thread " + std::to_string(first + static_cast<unsigned>(stuck - lanes)) +
      " waits for it in " + stuck->name + AtLine(stuck->line));
}

// Runs a warp until each of its lanes waits at the block's barrier or has ended.
bool RunWarp(unsigned first) {
  const unsigned count =
      std::min<unsigned>(kWarp, static_cast<unsigned>(block.threads.size()) - first);
  Thread* lanes = &block.threads[first];
  for (;;) {
    bool ran = false;
    for (unsigned i = 0; i < count; ++i) {
      if (lanes[i].state != State::kReady) {
        continue;
      }
      Resume(first + i);
      if (block.failed) {
        return false;
      }
      ran = true;
    }
    if (ran || ResolveActiveMasks(lanes, count)) {
      continue;
    }
    if (std::any_of(lanes, lanes + count,
                    [](const Thread& t) { return t.state == State::kCollective; })) {
      return FailStuckLanes(lanes, count, first);
    }
    FinishWarp();
    return true;
  }
}

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
    return Fail("__syncthreads() is not reached by all threads: thread " + std::to_string(waiting) +
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

void FailThread(const std::string& message, int line) {
  Report(Where() + ", thread " + Triple(running.coordinates.data()) + ": " + message +
         AtLine(line));
  block.failed = true;
  Yield();
  __builtin_unreachable();
}

}  // namespace emulated

using emulated::block;
using emulated::running;

extern "C" {

unsigned emulated_coordinate(int which) { return running.coordinates[static_cast<size_t>(which)]; }

unsigned emulated_lane() { return running.thread % emulated::kWarp; }

void emulated_fail(const char* message, int line) { emulated::FailThread(message, line); }

void emulated_atomic_begin() { running.atomic = true; }
void emulated_atomic_end() { running.atomic = false; }

void emulated_barrier(int line) {
  emulated::Thread& self = block.threads[running.thread];
  self.state = emulated::State::kBarrier;
  self.line = line;
  emulated::Yield();
}

unsigned emulated_active_mask(int line) {
  emulated::Thread& self = block.threads[running.thread];
  self.state = emulated::State::kActiveMask;
  self.line = line;
  emulated::Yield();
  return self.mask;
}

void emulated_collective(EmulatedOperation operation, const char* name, void* mine, unsigned mask,
                         int line) {
  using emulated::State;
  const unsigned first = running.thread / emulated::kWarp * emulated::kWarp;
  const unsigned count =
      std::min<unsigned>(emulated::kWarp, static_cast<unsigned>(block.threads.size()) - first);
  emulated::Thread* lanes = &block.threads[first];
  emulated::Thread& self = block.threads[running.thread];
  if ((mask >> (running.thread - first) & 1) == 0) {
    emulated::FailThread(
        "the mask of " + std::string(name) + " leaves out the thread that calls it", line);
  }
  self.operation = operation;
  self.name = name;
  self.slot = mine;
  self.mask = mask;
  self.line = line;
  self.state = State::kCollective;
  const unsigned awaited = mask & (count == emulated::kWarp ? ~0U : (1U << count) - 1);
  std::array<void*, emulated::kWarp> slots{};
  for (unsigned i = 0; i < count; ++i) {
    if ((awaited >> i & 1) == 0) {
      continue;
    }
    const emulated::Thread& other = lanes[i];
    const bool here =
        other.state == State::kCollective && other.operation == operation && other.line == line;
    if (!here || other.mask != mask) {
      emulated::Yield();
      return;
    }
    slots[i] = other.slot;
  }
  operation(slots.data(), awaited);
  running.warp_step = ++running.step;
  block.warp_steps[first / emulated::kWarp] = running.step;
  for (unsigned i = 0; i < count; ++i) {
    if ((awaited >> i & 1) != 0) {
      lanes[i].state = State::kReady;
    }
  }
}

}  // extern "C"
