// The part of CUDA 13's binary interface that TVM's runtime uses: what it passes in memory, and the numbers it knows.
#pragma once
#include <cstddef>
#include <cstdint>

namespace emulated {

enum Error : int {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kInvalidImage = 200,
  kNotFound = 500,
  kLaunchFailed = 719,
  kNotSupported = 801,
  kCaptureUnsupported = 900,
};

constexpr int kCudaVersion = 13000;

struct LaunchAttribute {
  int id;
  char padding[4];
  unsigned char value[64];
};

struct LaunchConfig {
  unsigned grid[3];
  unsigned block[3];
  unsigned shared_bytes;
  void* stream;
  LaunchAttribute* attributes;
  unsigned attribute_count;
};

constexpr int kAttributeProgrammaticStream = 6;
constexpr int kFunctionMaxDynamicShared = 8;

// cudaDeviceProp up to the last field that anybody reads.
struct Properties {
  char name[256];
  unsigned char identifiers[28];
  size_t memory_bytes;
  size_t shared_bytes_per_block;
  int registers_per_block;
  int warp_size;
  size_t pitch;
  int threads_per_block;
  int threads_per_dimension[3];
  int grid[3];
  size_t constant_bytes;
  int major;
  int minor;
  size_t texture[2];
  int multiprocessors;
};
static_assert(offsetof(Properties, memory_bytes) == 288 && offsetof(Properties, major) == 360 &&
                  offsetof(Properties, multiprocessors) == 384,
              "the layout that CUDA 13 has");
constexpr size_t kPropertiesBytes = 1008;

// Keeps an error for cudaGetLastError, and returns it.
int SetError(int error);

}  // namespace emulated
