// What a launch did, as lines of JSON in the file that MOBILENET_TVM_EMULATED_GPU_COUNTERS names.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "execution/block.h"

namespace emulated {

struct ArgumentTraffic {
  std::string name;
  uint64_t bytes = 0;
  uint64_t unique_bytes_read = 0;
  uint64_t unique_bytes_written = 0;
};

// Bytes of global memory: each counted once however often it is touched (unique), by each thread's instructions, and in
// the sectors of 32 bytes that the instructions of a warp move.
struct Traffic {
  uint64_t unique_bytes_read = 0;
  uint64_t unique_bytes_written = 0;
  uint64_t bytes_loaded = 0;
  uint64_t bytes_stored = 0;
  uint64_t sector_bytes_loaded = 0;
  uint64_t sector_bytes_stored = 0;
  std::vector<ArgumentTraffic> arguments;
};

// Whether anybody wants to know.
bool Counting();

void WriteCounters(const EmulatedKernel& kernel, const Shape& shape, unsigned shared_bytes,
                   const Traffic& traffic);

}  // namespace emulated
