#include "execution/launch.h"

#include <string>

#include "checks/access.h"
#include "checks/counters.h"
#include "checks/failure.h"
#include "machine/device.h"
#include "machine/memory.h"

namespace emulated {
namespace {

constexpr unsigned kStaticSharedBytes = 48 * 1024;

bool Within(const Launch& launch, const char* what, uint64_t value, uint64_t limit) {
  if (value <= limit) {
    return true;
  }
  Report("kernel " + std::string(launch.function->kernel->name) + ": " + what + " " +
         std::to_string(value) + ", and at most " + std::to_string(limit) + " are allowed");
  return false;
}

}  // namespace

Launch MakeLaunch(const Function& function, const Shape& shape, void** arguments) {
  Launch launch{&function, shape, {}};
  for (uint32_t i = 0; i < function.kernel->argument_count; ++i) {
    const auto* bytes = static_cast<const unsigned char*>(arguments[i]);
    launch.arguments.emplace_back(bytes, bytes + function.kernel->arguments[i].bytes);
  }
  return launch;
}

bool Allowed(const Launch& launch) {
  const EmulatedKernel& kernel = *launch.function->kernel;
  const Shape& shape = launch.shape;
  const Device& device = TheDevice();
  const uint64_t threads = uint64_t{shape.block[0]} * shape.block[1] * shape.block[2];
  if (threads == 0 || shape.grid[0] == 0 || shape.grid[1] == 0 || shape.grid[2] == 0) {
    Report("kernel " + std::string(kernel.name) + " is launched with no threads");
    return false;
  }
  const unsigned dynamic = shape.dynamic_shared_bytes;
  return Within(launch, "threads in a block:", threads,
                std::min(device.threads_per_block, kMaxThreads)) &&
         Within(launch, "threads in a block, which its __launch_bounds__ do not expect:", threads,
                kernel.max_threads != 0 ? kernel.max_threads : kMaxThreads) &&
         Within(launch, "blockDim.z is", shape.block[2], 64) &&
         Within(launch, "gridDim.x is", shape.grid[0], 0x7FFFFFFF) &&
         Within(launch, "gridDim.y is", shape.grid[1], 65535) &&
         Within(launch, "gridDim.z is", shape.grid[2], 65535) &&
         Within(launch, "bytes of static shared memory:", kernel.static_shared_bytes,
                kStaticSharedBytes) &&
         Within(launch,
                "bytes of dynamic shared memory, which the host has not asked for:", dynamic,
                launch.function->dynamic_shared_limit) &&
         Within(launch, "bytes of shared memory:", uint64_t{kernel.static_shared_bytes} + dynamic,
                std::min<uint64_t>(std::max(device.shared_bytes_per_block, kStaticSharedBytes),
                                   kSharedBytes - 128));
}

bool Run(const Launch& launch) {
  std::vector<void*> arguments;
  arguments.reserve(launch.arguments.size());
  for (const auto& bytes : launch.arguments) {
    arguments.push_back(const_cast<unsigned char*>(bytes.data()));
  }
  const DeviceMemoryOpen open;
  const EmulatedKernel& kernel = *launch.function->kernel;
  SetArguments(kernel, arguments.data());
  if (!RunGrid(kernel, launch.shape, arguments.data())) {
    return false;
  }
  if (Counting()) {
    WriteCounters(kernel, launch.shape, running.shared_bytes, TakeTraffic());
  }
  return true;
}

}  // namespace emulated
