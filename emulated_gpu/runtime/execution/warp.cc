// What the lanes of a warp do together: masks, shuffles, votes, products of matrices.
#include <algorithm>
#include <array>
#include <string>

#include "checks/access.h"
#include "execution/threads.h"

namespace emulated {
namespace {

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
  return FailBlock(
      "warp " + std::to_string(first / kWarp) + ": thread " + std::to_string(first + lane) +
      (ended ? " has ended, and" : " waits elsewhere" + AtLine(lanes[lane].line) + ", and") +
      " thread " + std::to_string(first + static_cast<unsigned>(stuck - lanes)) +
      " waits for it in " + stuck->name + AtLine(stuck->line));
}

}  // namespace

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

}  // namespace emulated

using emulated::block;
using emulated::running;

extern "C" {

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
