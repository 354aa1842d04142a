// The accesses of a warp's lanes to global memory, put side by side: one instruction of a warp moves whole sectors.
#pragma once
#include <cstddef>
#include <cstdint>

#include "checks/counters.h"

namespace emulated {

constexpr uintptr_t kSectorBytes = 32;

// caller: where in the kernel's code the access is.
void TraceAccess(unsigned lane, uintptr_t caller, uintptr_t address, size_t bytes, bool writes);

// Adds the sectors of all accesses since the last call. The n-th access of a lane at a place in the code goes with the
// n-th accesses of the other lanes there.
void JoinLanes(Traffic* traffic);

// Forgets the accesses that a launch which failed has left behind.
void DropTraces();

}  // namespace emulated
