#include "machine/stream.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "checks/failure.h"
#include "machine/memory.h"

namespace emulated {
namespace {

int capturing = 0;

// Whether memory of the device's is allocated where a copy reads or writes; the host's is the system's to check.
bool OnDevice(const void* pointer, size_t bytes, const char* verb) {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  if (region_begin == 0 || address - region_begin >= kRegionBytes) {
    return true;
  }
  const Allocation* allocation = NearestAllocation(address);
  if (allocation != nullptr && allocation->Contains(address, bytes)) {
    return true;
  }
  Report("a copy " + std::string(verb) + " " + std::to_string(bytes) +
         " bytes of device memory beyond an allocation" +
         (allocation == nullptr
              ? ""
              : " of " + std::to_string(allocation->bytes) + " bytes, from offset " +
                    std::to_string(address - allocation->begin)));
  return false;
}

bool RunWork(const MemoryCopy& copy) {
  if (!OnDevice(copy.from, copy.bytes, "reads") || !OnDevice(copy.to, copy.bytes, "writes")) {
    return false;
  }
  const DeviceMemoryOpen open;
  std::memmove(copy.to, copy.from, copy.bytes);
  return true;
}

bool RunWork(const Launch& launch) { return Run(launch); }

bool RunAny(const Work& work) {
  return std::visit([](const auto& one) { return RunWork(one); }, work);
}

}  // namespace

int Capturing() { return capturing; }

bool Submit(Stream* stream, Work work) {
  if (stream == nullptr || stream->capturing == nullptr) {
    return RunAny(work);
  }
  stream->capturing->nodes.push_back(std::move(work));
  return true;
}

bool RunGraph(const Graph& graph) {
  return std::all_of(graph.nodes.begin(), graph.nodes.end(), RunAny);
}

void BeginCapture(Stream* stream) {
  stream->capturing = new Graph;
  ++capturing;
}

Graph* EndCapture(Stream* stream) {
  if (stream->capturing != nullptr) {
    --capturing;
  }
  return std::exchange(stream->capturing, nullptr);
}

}  // namespace emulated
