#include "machine/memory.h"

#include <sys/mman.h>

#include <cstring>
#include <map>

namespace emulated {

uintptr_t region_begin = 0;

namespace {

constexpr size_t kPage = 4096;
constexpr size_t kGap = size_t{1} << 16;

struct Memory {
  std::map<uintptr_t, Allocation> live;
  std::multimap<size_t, uintptr_t> free;  // by reserved size
  size_t used = 0;                        // of the region, from its beginning
  size_t allocated = 0;
  int open = 0;
};

Memory& State() {
  static auto* memory = new Memory;
  return *memory;
}

size_t ReservedBytes(size_t bytes) { return (bytes + kGap + kPage - 1) / kPage * kPage; }

bool Reserve() {
  if (region_begin != 0) {
    return true;
  }
  void* region =
      mmap(nullptr, kRegionBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) {
    return false;
  }
  region_begin = reinterpret_cast<uintptr_t>(region);
  return true;
}

void Protect(int protection) {
  if (State().used != 0) {
    mprotect(reinterpret_cast<void*>(region_begin), State().used, protection);
  }
}

}  // namespace

void* Allocate(size_t bytes) {
  Memory& memory = State();
  if (!Reserve()) {
    return nullptr;
  }
  const size_t reserved = ReservedBytes(bytes);
  uintptr_t begin = 0;
  if (const auto found = memory.free.find(reserved); found != memory.free.end()) {
    begin = found->second;
    memory.free.erase(found);
  } else {
    if (reserved > kRegionBytes - memory.used - kGap) {
      return nullptr;
    }
    if (memory.used == 0) {
      memory.used = kGap;
    }
    begin = region_begin + memory.used;
    memory.used += reserved;
  }
  memory.live[begin] = {begin, bytes};
  memory.allocated += bytes;
  const DeviceMemoryOpen open;
  std::memset(reinterpret_cast<void*>(begin), 0xFF, bytes);
  return reinterpret_cast<void*>(begin);
}

bool Free(void* pointer) {
  Memory& memory = State();
  const auto found = memory.live.find(reinterpret_cast<uintptr_t>(pointer));
  if (found == memory.live.end()) {
    return false;
  }
  const size_t reserved = ReservedBytes(found->second.bytes);
  madvise(pointer, reserved, MADV_DONTNEED);
  memory.allocated -= found->second.bytes;
  memory.free.emplace(reserved, found->first);
  memory.live.erase(found);
  return true;
}

size_t AllocatedBytes() { return State().allocated; }

const Allocation* NearestAllocation(uintptr_t address) {
  const auto& live = State().live;
  auto after = live.upper_bound(address);
  return after == live.begin() ? nullptr : &std::prev(after)->second;
}

DeviceMemoryOpen::DeviceMemoryOpen() {
  if (State().open++ == 0) {
    Protect(PROT_READ | PROT_WRITE);
  }
}

DeviceMemoryOpen::~DeviceMemoryOpen() {
  if (--State().open == 0) {
    Protect(PROT_NONE);
  }
}

}  // namespace emulated
