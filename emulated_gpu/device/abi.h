// What a kernel compiled for the CPU and the emulated GPU's runtime know of each other. C linkage throughout.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct EmulatedArgument {
  const char* name;
  uint32_t bytes;
  uint32_t is_pointer;
};

struct EmulatedKernel {
  const char* name;
  void (*enter)(void** arguments);  // runs one thread
  const EmulatedArgument* arguments;
  uint32_t argument_count;
  uint32_t static_shared_bytes;
  uint32_t uses_dynamic_shared;
  uint32_t collective;   // threads of a block wait for each other
  uint32_t max_threads;  // __launch_bounds__; 0: none given
  uint32_t
      shared_granule;  // the least number of bytes that its threads touch in shared memory: 2 or 4
};

// Runs once for all lanes of a warp that came to the same collective operation: slots[lane] is what that lane handed
// over, null for a lane outside of mask.
using EmulatedOperation = void (*)(void** slots, unsigned mask);

#define EMULATED_EXPORT __attribute__((visibility("default")))
#define EMULATED_CONST __attribute__((const))
#define EMULATED_CONVERGENT __attribute__((convergent))

extern "C" {
// In each shared object of kernels.
EMULATED_EXPORT extern const EmulatedKernel emulated_kernels[];
EMULATED_EXPORT extern const uint32_t emulated_kernel_count;

#pragma GCC visibility push(default)
// In the runtime. A thread's coordinates are constant for as long as it runs.
extern unsigned char emulated_shared[];
EMULATED_CONST unsigned emulated_coordinate(
    int which);  // 0-2 thread, 3-5 block, 6-8 block size, 9-11 grid size
EMULATED_CONST unsigned emulated_lane();
EMULATED_CONVERGENT void emulated_barrier(int line);
EMULATED_CONVERGENT unsigned emulated_active_mask(int line);
EMULATED_CONVERGENT void emulated_collective(EmulatedOperation operation, const char* name,
                                             void* mine, unsigned mask, int line);
void emulated_atomic_begin();
void emulated_atomic_end();
void emulated_copy_async(unsigned char* to, const void* from, unsigned bytes, unsigned source_bytes,
                         int line);
void emulated_copy_commit();
void emulated_copy_wait(unsigned pending);
[[noreturn]] void emulated_fail(const char* message, int line);
#pragma GCC visibility pop
}
