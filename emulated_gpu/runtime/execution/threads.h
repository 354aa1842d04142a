// The threads of the block that runs, and what each of them waits for.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "execution/block.h"

namespace emulated {

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
extern Block block;

// Makes a thread the one that runs.
void SetThread(unsigned thread);

// Goes on with a thread until it yields.
void Resume(unsigned thread);

// Leaves the running thread for the scheduler.
void Yield();

// Where the fiber of a thread starts.
void ThreadStart();

// What FailThread is for the scheduler itself. Returns false.
bool FailBlock(const std::string& message);

// " (kernels.cu, line 7)"; empty for line 0.
std::string AtLine(int line);

// Runs a warp until each of its lanes waits at the block's barrier or has ended. False if that cannot be.
bool RunWarp(unsigned first);

}  // namespace emulated
