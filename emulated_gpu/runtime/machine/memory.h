// The emulated GPU's memory: allocations far apart in a region of their own, which the host cannot touch.
#pragma once
#include <cstddef>
#include <cstdint>

namespace emulated {

struct Allocation {
  uintptr_t begin = 0;
  size_t bytes = 0;

  [[nodiscard]] bool Contains(uintptr_t address, size_t count) const {
    return address >= begin && count <= bytes && address - begin <= bytes - count;
  }
};

constexpr size_t kRegionBytes = size_t{1} << 37;

// Where the region begins; 0 before the first allocation.
extern uintptr_t region_begin;

// Memory full of ones, which are no numbers as floats; null if there is none left.
void* Allocate(size_t bytes);

// Whether there was such an allocation.
bool Free(void* pointer);

size_t AllocatedBytes();

// The allocation that an address lies in, or the one that ends nearest before it; null if there is none.
const Allocation* NearestAllocation(uintptr_t address);

// For as long as one exists, device memory can be read and written.
class DeviceMemoryOpen {
 public:
  DeviceMemoryOpen();
  ~DeviceMemoryOpen();
  DeviceMemoryOpen(const DeviceMemoryOpen&) = delete;
  DeviceMemoryOpen& operator=(const DeviceMemoryOpen&) = delete;
  DeviceMemoryOpen(DeviceMemoryOpen&&) = delete;
  DeviceMemoryOpen& operator=(DeviceMemoryOpen&&) = delete;
};

}  // namespace emulated
