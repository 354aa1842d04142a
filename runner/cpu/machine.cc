#include "cpu/machine.h"

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

#include "cpu/cpu_features.h"

namespace mobilenet_tvm {
namespace {

// Who starts an emulator says so by this: a newer QEMU shows the emulated program a /proc/cpuinfo of the emulated CPU.
constexpr const char* kEmulatedVariable = "MOBILENET_RUN_EMULATED";

std::string FirstLineOf(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  // The device tree ends its texts with a zero.
  return line.substr(0, line.find('\0'));
}

/// The value of a line "name : value" of /proc/cpuinfo; empty where there is none.
std::string CpuInfo(std::string_view name) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.rfind(name, 0) == 0 && colon != std::string::npos) {
      const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
      return begin == std::string::npos ? std::string() : line.substr(begin);
    }
  }
  return {};
}

/// The kernel's own architecture, as of Linux 6.1; no emulator of programs changes it.
bool KernelIsAnother() {
  const std::string kernel = FirstLineOf("/proc/sys/kernel/arch");
  return !kernel.empty() && kernel != Architecture();
}

bool CpuIsAnother() {
  const bool is_x86 = !CpuInfo("vendor_id").empty();
  const bool is_arm = !CpuInfo("CPU implementer").empty();
  return Architecture() == "x86_64" ? is_arm : is_x86;
}

}  // namespace

bool IsEmulated() {
  return std::getenv(kEmulatedVariable) != nullptr || KernelIsAnother() || CpuIsAnother();
}

std::string BoardName() {
  if (IsEmulated()) {
    return "emulated " + std::string(Architecture());
  }
  for (const std::string& name :
       {FirstLineOf("/proc/device-tree/model"), CpuInfo("model name"), CpuInfo("Model")}) {
    if (!name.empty()) {
      return name;
    }
  }
  return std::string(Architecture());
}

std::string ClockGovernor() {
  return FirstLineOf("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
}

}  // namespace mobilenet_tvm
