#include "checks/access.h"

#include <algorithm>
#include <string>
#include <utility>

#include "checks/coalescing.h"
#include "checks/shared_races.h"
#include "execution/block.h"
#include "machine/device.h"
#include "machine/memory.h"
#include "machine/module.h"

namespace emulated {
namespace {

struct Range {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  std::string argument;
  std::vector<uint64_t> read, written;  // a bit per byte
};

struct Accesses {
  std::vector<Range> ranges;
  Range* last = nullptr;  // the range of the last access: most often that of the next
  Traffic traffic;
};
Accesses accesses;

void Mark(std::vector<uint64_t>* bits, size_t offset, size_t bytes) {
  uint64_t* words = bits->data();
  const size_t shift = offset % 64;
  if (bytes <= 32 && shift + bytes <= 64) {
    words[offset / 64] |= ((uint64_t{1} << bytes) - 1) << shift;
    return;
  }
  for (size_t i = offset; i < offset + bytes; ++i) {
    words[i / 64] |= uint64_t{1} << i % 64;
  }
}

uint64_t CountBits(const std::vector<uint64_t>& bits) {
  uint64_t count = 0;
  for (const uint64_t word : bits) {
    count += static_cast<uint64_t>(__builtin_popcountll(word));
  }
  return count;
}

std::string Verb(size_t bytes, bool writes) {
  return (writes ? "writes " : "reads ") + std::to_string(bytes) +
         (bytes == 1 ? " byte " : " bytes ");
}

// How far an address is from a range.
uintptr_t Distance(const Range& range, uintptr_t address) {
  if (address < range.begin) {
    return range.begin - address;
  }
  return address < range.end ? 0 : address - range.end;
}

[[noreturn]] void FailGlobal(uintptr_t address, size_t bytes, bool writes) {
  const Range* nearest = nullptr;
  for (const Range& range : accesses.ranges) {
    if (nearest == nullptr || Distance(range, address) < Distance(*nearest, address)) {
      nearest = &range;
    }
  }
  if (nearest == nullptr) {
    FailThread(Verb(bytes, writes) + "of device memory, and no argument points to any");
  }
  const std::string size = std::to_string(nearest->end - nearest->begin) + " bytes";
  if (address < nearest->begin) {
    FailThread(Verb(bytes, writes) + std::to_string(nearest->begin - address) +
               " bytes before argument " + nearest->argument + " of " + size);
  }
  FailThread(Verb(bytes, writes) + "at offset " + std::to_string(address - nearest->begin) +
             " of argument " + nearest->argument + ", which has " + size);
}

Range* FindRange(uintptr_t address, size_t bytes) {
  for (Range& range : accesses.ranges) {
    if (address >= range.begin && address + bytes <= range.end) {
      return &range;
    }
  }
  return nullptr;
}

void AccessGlobal(uintptr_t address, size_t bytes, bool writes, uintptr_t caller) {
  Range* range = accesses.last;
  if (range == nullptr || address < range->begin || address + bytes > range->end) {
    range = FindRange(address, bytes);
    if (range == nullptr) {
      FailGlobal(address, bytes, writes);
    }
    accesses.last = range;
  }
  Mark(writes ? &range->written : &range->read, address - range->begin, bytes);
  (writes ? accesses.traffic.bytes_stored : accesses.traffic.bytes_loaded) += bytes;
  TraceAccess(running.thread % kWarp, caller, address, bytes, writes);
}

// Where an argument's memory begins and ends: as many bytes as it is known to have, else all of its allocation.
std::pair<uintptr_t, uintptr_t> RangeOf(const char* kernel, const char* argument,
                                        uintptr_t pointer) {
  const Allocation* allocation = NearestAllocation(pointer);
  if (allocation == nullptr || !allocation->Contains(pointer, 1)) {
    return {};
  }
  const uintptr_t end = allocation->begin + allocation->bytes;
  const auto& sizes = TheDevice().argument_bytes;
  const auto known = sizes.find(std::string(kernel) + " " + argument);
  if (known == sizes.end()) {
    return {allocation->begin, end};
  }
  return {pointer, std::min(end, pointer + known->second)};
}

}  // namespace

void SetArguments(const EmulatedKernel& kernel, void** arguments) {
  accesses.ranges.clear();
  accesses.last = nullptr;
  accesses.traffic = {};
  DropTraces();
  for (uint32_t i = 0; i < kernel.argument_count; ++i) {
    const EmulatedArgument& argument = kernel.arguments[i];
    if (argument.is_pointer == 0) {
      continue;
    }
    const auto range = RangeOf(kernel.name, argument.name, *static_cast<uintptr_t*>(arguments[i]));
    const std::string name = std::to_string(i) + " '" + argument.name + "'";
    const auto same = [&range](const Range& other) {
      return other.begin == range.first && other.end == range.second;
    };
    const auto known = std::find_if(accesses.ranges.begin(), accesses.ranges.end(), same);
    if (known != accesses.ranges.end()) {
      known->argument += " or " + name;
    } else if (range.first != range.second) {
      const size_t words = (range.second - range.first + 63) / 64;
      accesses.ranges.push_back({range.first, range.second, name, std::vector<uint64_t>(words),
                                 std::vector<uint64_t>(words)});
    }
  }
}

Traffic TakeTraffic() {
  Traffic& traffic = accesses.traffic;
  for (const Range& range : accesses.ranges) {
    const ArgumentTraffic part{range.argument, range.end - range.begin, CountBits(range.read),
                               CountBits(range.written)};
    traffic.unique_bytes_read += part.unique_bytes_read;
    traffic.unique_bytes_written += part.unique_bytes_written;
    traffic.arguments.push_back(part);
  }
  return traffic;
}

void FinishWarp() { JoinLanes(&accesses.traffic); }

void CheckAccess(uintptr_t address, size_t bytes, bool writes, uintptr_t caller) {
  if (bytes == 0) {
    return;
  }
  const auto shared = reinterpret_cast<uintptr_t>(emulated_shared);
  if (address - shared < kSharedBytes) {
    const size_t offset = address - shared;
    if (offset + bytes > running.shared_bytes) {
      FailThread(Verb(bytes, writes) + "at offset " + std::to_string(offset) +
                 " of shared memory, which has " + std::to_string(running.shared_bytes) + " bytes");
    }
    AccessShared(offset, bytes, writes);
  } else if (address - region_begin < kRegionBytes) {
    AccessGlobal(address, bytes, writes, caller);
  } else if (address - running.stacks_begin >= running.stacks_bytes && !InKernelImage(address)) {
    FailThread(Verb(bytes, writes) + "at an address that is nowhere on the device");
  }
}

}  // namespace emulated
