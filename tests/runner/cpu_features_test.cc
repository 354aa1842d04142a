#include "cpu/cpu_features.h"

#include <fstream>
#include <set>
#include <sstream>

#include "check.h"

using mobilenet_tvm::CpuFeature;
using mobilenet_tvm::FindCpuFeature;

namespace {

#if defined(__aarch64__)
constexpr const char* kOfEveryCpu = "asimd";
constexpr const char* kOfPresets[] = {"fp",       "asimd", "crc32", "atomics", "fphp",   "asimdhp",
                                      "asimdrdm", "lrcpc", "dcpop", "asimddp", "dotprod"};
#else
constexpr const char* kOfEveryCpu = "sse2";
constexpr const char* kOfPresets[] = {"avx2",        "fma",         "bmi1",       "bmi2",
                                      "f16c",        "movbe",       "abm",        "avx512f",
                                      "avx512bw",    "avx512cd",    "avx512dq",   "avx512vl",
                                      "avx512_vnni", "avx512_bf16", "avx512vnni", "avx512bf16"};
#endif

std::set<std::string> KernelFlags() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line)) {
    if (line.rfind("flags", 0) == 0 || line.rfind("Features", 0) == 0) {
      std::istringstream words(line.substr(line.find(':') + 1));
      std::set<std::string> flags;
      for (std::string word; words >> word;) {
        flags.insert(word);
      }
      return flags;
    }
  }
  return {};
}

}  // namespace

// The kernel asks the same CPU, so it must say the same of every feature. Under QEMU's user mode /proc/cpuinfo is the
// host's, so MOBILENET_RUN_EMULATED leaves this out.
TEST(agrees_with_the_kernel) {
  const std::set<std::string> flags = KernelFlags();
  if (flags.empty() || std::getenv("MOBILENET_RUN_EMULATED") != nullptr) {
    return;
  }
  for (const std::string& name : mobilenet_tvm::KnownCpuFeatures()) {
    const bool ours = FindCpuFeature(name) == CpuFeature::kPresent;
    if (ours != (flags.count(name) > 0)) {
      check::Fail(__FILE__, __LINE__, name + (ours ? ": not in" : ": only in") + " /proc/cpuinfo");
    }
  }
}

TEST(knows_what_the_presets_need) {
  for (const char* name : kOfPresets) {
    CHECK(FindCpuFeature(name) != CpuFeature::kUnknown);
  }
  CHECK(FindCpuFeature(kOfEveryCpu) == CpuFeature::kPresent);
  CHECK(FindCpuFeature("") == CpuFeature::kUnknown);
}

TEST(says_what_is_missing) {
  mobilenet_tvm::RequireCpuFeatures({kOfEveryCpu});
  CHECK_USER_ERROR(mobilenet_tvm::RequireCpuFeatures({kOfEveryCpu, "warp_drive"}),
                   "\"warp_drive\"");
}

// The toolchain's emulator is a cortex-a72, a Raspberry Pi 4's.
TEST(an_emulated_board_lacks_what_it_lacks) {
  if (std::getenv("MOBILENET_RUN_EMULATED") != nullptr &&
      mobilenet_tvm::Architecture() == "aarch64") {
    mobilenet_tvm::RequireCpuFeatures({"fp", "asimd", "crc32"});
    CHECK_USER_ERROR(mobilenet_tvm::RequireCpuFeatures({"asimd", "asimddp", "sve"}),
                     "this CPU lacks asimddp, sve");
  }
}
