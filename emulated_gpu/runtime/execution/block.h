// The threads of a block: fibers where they wait for each other, a loop where they do not.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "abi.h"

namespace emulated {

constexpr unsigned kWarp = 32;
constexpr unsigned kMaxThreads = 1024;
constexpr size_t kSharedBytes = size_t{256} * 1024;

struct Shape {
  std::array<unsigned, 3> grid{1, 1, 1};
  std::array<unsigned, 3> block{1, 1, 1};
  unsigned dynamic_shared_bytes = 0;

  [[nodiscard]] unsigned Threads() const { return block[0] * block[1] * block[2]; }
};

// The thread that runs: its coordinates, as emulated_coordinate() numbers them, and its number in the block.
struct Running {
  std::array<unsigned, 12> coordinates{};
  unsigned thread = 0;
  unsigned shared_bytes = 0;
  uint32_t step = 0;          // of time: see shared_races.h
  uint32_t barrier_step = 0;  // began with the block's last barrier
  uint32_t warp_step = 0;     // began with the last collective operation of its warp
  unsigned granule_shift = 2;
  bool atomic = false;
  uintptr_t stacks_begin = 0;
  uintptr_t stacks_bytes = 0;
  const EmulatedKernel* kernel = nullptr;
};
extern Running running;

// Runs all blocks of a grid. False if a thread failed; the message was reported.
bool RunGrid(const EmulatedKernel& kernel, const Shape& shape, void** arguments);

// Ends the grid from within one of its threads.
[[noreturn]] void FailThread(const std::string& message, int line = 0);

}  // namespace emulated
