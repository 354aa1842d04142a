#include "machine/device.h"

#include <cstdlib>
#include <fstream>

#include "checks/failure.h"

namespace emulated {
namespace {

void Set(Device* device, const std::string& key, const std::string& value) {
  const std::map<std::string, unsigned*> numbers{
      {"compute_capability", &device->compute_capability},
      {"multiprocessors", &device->multiprocessors},
      {"threads_per_block", &device->threads_per_block},
      {"shared_bytes_per_block", &device->shared_bytes_per_block},
      {"shared_bytes_per_multiprocessor", &device->shared_bytes_per_multiprocessor},
      {"registers_per_multiprocessor", &device->registers_per_multiprocessor},
      {"threads_per_multiprocessor", &device->threads_per_multiprocessor},
      {"l2_bytes", &device->l2_bytes},
      {"clock_mhz", &device->clock_mhz},
  };
  if (const auto number = numbers.find(key); number != numbers.end()) {
    *number->second = static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
  } else if (key == "name") {
    device->name = value;
  } else if (key == "argument") {
    const size_t space = value.rfind(' ');
    device->argument_bytes[value.substr(0, space)] =
        std::strtoull(value.c_str() + space + 1, nullptr, 10);
  } else if (key == "module") {
    const size_t space = value.find(' ');
    device->modules[value.substr(0, space)] = value.substr(space + 1);
  }
}

Device Read() {
  Device device;
  const char* path = std::getenv("MOBILENET_TVM_EMULATED_GPU_FILE");
  if (path == nullptr) {
    return device;
  }
  std::ifstream file(path);
  if (!file) {
    Report(std::string("cannot read ") + path);
  }
  for (std::string line; std::getline(file, line);) {
    const size_t space = line.find(' ');
    if (space != std::string::npos) {
      Set(&device, line.substr(0, space), line.substr(space + 1));
    }
  }
  return device;
}

}  // namespace

const Device& TheDevice() {
  static const auto* device = new Device(Read());
  return *device;
}

}  // namespace emulated
