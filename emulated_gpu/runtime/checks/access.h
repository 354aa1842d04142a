// Every access of a kernel to memory comes here: the compiler's thread sanitizer calls for it, and this is its runtime.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "abi.h"
#include "checks/counters.h"

namespace emulated {

// What a launch may touch in global memory: the allocations that its arguments point into.
void SetArguments(const EmulatedKernel& kernel, void** arguments);

// What it touched, since SetArguments.
Traffic TakeTraffic();

// The lanes of the warp that ran have all ended or wait for the block: their accesses can be put side by side.
void FinishWarp();

// Checks, and counts where it is global memory. The thread fails if it is not its to touch.
void CheckAccess(uintptr_t address, size_t bytes, bool writes, uintptr_t caller);

}  // namespace emulated
