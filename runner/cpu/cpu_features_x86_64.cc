#include <cpuid.h>

#include <array>
#include <cstdint>

#include "cpu/feature_table.h"

namespace mobilenet_tvm {
namespace {

enum class Register : std::uint8_t { kEax, kEbx, kEcx, kEdx };
// What the kernel must save at a task switch for the feature to be usable, beyond what every x86-64 kernel does.
enum class State : std::uint8_t { kNone, kAvx, kAvx512, kAmx };

struct Feature {
  std::string_view name;
  unsigned leaf;
  unsigned subleaf;
  Register reg;
  unsigned bit;
  State state;
};

// Names as in Linux's arch/x86/include/asm/cpufeatures.h; bits as in Intel's SDM, volume 2A, CPUID.
constexpr std::array kFeatures = {
    Feature{"sse", 1, 0, Register::kEdx, 25, State::kNone},
    Feature{"sse2", 1, 0, Register::kEdx, 26, State::kNone},
    Feature{"pni", 1, 0, Register::kEcx, 0, State::kNone},
    Feature{"ssse3", 1, 0, Register::kEcx, 9, State::kNone},
    Feature{"fma", 1, 0, Register::kEcx, 12, State::kAvx},
    Feature{"cx16", 1, 0, Register::kEcx, 13, State::kNone},
    Feature{"sse4_1", 1, 0, Register::kEcx, 19, State::kNone},
    Feature{"sse4_2", 1, 0, Register::kEcx, 20, State::kNone},
    Feature{"movbe", 1, 0, Register::kEcx, 22, State::kNone},
    Feature{"popcnt", 1, 0, Register::kEcx, 23, State::kNone},
    Feature{"xsave", 1, 0, Register::kEcx, 26, State::kNone},
    Feature{"avx", 1, 0, Register::kEcx, 28, State::kAvx},
    Feature{"f16c", 1, 0, Register::kEcx, 29, State::kAvx},
    Feature{"lahf_lm", 0x80000001, 0, Register::kEcx, 0, State::kNone},
    Feature{"abm", 0x80000001, 0, Register::kEcx, 5, State::kNone},
    Feature{"bmi1", 7, 0, Register::kEbx, 3, State::kNone},
    Feature{"avx2", 7, 0, Register::kEbx, 5, State::kAvx},
    Feature{"bmi2", 7, 0, Register::kEbx, 8, State::kNone},
    Feature{"avx512f", 7, 0, Register::kEbx, 16, State::kAvx512},
    Feature{"avx512dq", 7, 0, Register::kEbx, 17, State::kAvx512},
    Feature{"avx512ifma", 7, 0, Register::kEbx, 21, State::kAvx512},
    Feature{"avx512cd", 7, 0, Register::kEbx, 28, State::kAvx512},
    Feature{"avx512bw", 7, 0, Register::kEbx, 30, State::kAvx512},
    Feature{"avx512vl", 7, 0, Register::kEbx, 31, State::kAvx512},
    Feature{"avx512vbmi", 7, 0, Register::kEcx, 1, State::kAvx512},
    Feature{"avx512_vbmi2", 7, 0, Register::kEcx, 6, State::kAvx512},
    Feature{"vaes", 7, 0, Register::kEcx, 9, State::kAvx},
    Feature{"avx512_vnni", 7, 0, Register::kEcx, 11, State::kAvx512},
    Feature{"avx512_bitalg", 7, 0, Register::kEcx, 12, State::kAvx512},
    Feature{"avx512_vpopcntdq", 7, 0, Register::kEcx, 14, State::kAvx512},
    Feature{"amx_bf16", 7, 0, Register::kEdx, 22, State::kAmx},
    Feature{"avx512_fp16", 7, 0, Register::kEdx, 23, State::kAvx512},
    Feature{"amx_tile", 7, 0, Register::kEdx, 24, State::kAmx},
    Feature{"amx_int8", 7, 0, Register::kEdx, 25, State::kAmx},
    Feature{"avx_vnni", 7, 1, Register::kEax, 4, State::kAvx},
    Feature{"avx512_bf16", 7, 1, Register::kEax, 5, State::kAvx512},
};

using Registers = std::array<unsigned, 4>;

// All zero where the CPU does not have the leaf.
Registers Cpuid(unsigned leaf, unsigned subleaf) {
  auto result = Registers();
  auto& [eax, ebx, ecx, edx] = result;
  __get_cpuid_count(leaf, subleaf, &eax, &ebx, &ecx, &edx);
  return result;
}

bool CpuidBit(const Feature& feature) {
  // Leaf 7 names its highest subleaf in EAX of subleaf 0.
  if (feature.subleaf > Cpuid(feature.leaf, 0)[0] && feature.subleaf > 0) {
    return false;
  }
  const Registers registers = Cpuid(feature.leaf, feature.subleaf);
  return ((registers[static_cast<std::size_t>(feature.reg)] >> feature.bit) & 1U) != 0;
}

std::uint32_t EnabledState() {
  constexpr unsigned kOsXsave = 27;
  const Registers registers = Cpuid(1, 0);
  if (((registers[static_cast<std::size_t>(Register::kEcx)] >> kOsXsave) & 1U) == 0) {
    return 0;
  }
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  // Not _xgetbv(): that intrinsic needs -mxsave, and this file is built for the baseline.
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Bits of XCR0: AVX needs SSE's (1) and its own (2); AVX-512 5 to 7 as well; AMX 17 and 18.
std::uint32_t BitsOf(State state) {
  switch (state) {
    case State::kNone:
      return 0;
    case State::kAvx:
      return 0x6;
    case State::kAvx512:
      return 0xe6;
    case State::kAmx:
      return 0x60000;
  }
  return ~0U;
}

bool StateEnabled(State state) {
  const std::uint32_t needed = BitsOf(state);
  return needed == 0 || (EnabledState() & needed) == needed;
}

bool IsPresent(const Feature& feature) { return CpuidBit(feature) && StateEnabled(feature.state); }

// LLVM's spellings of the same features.
constexpr std::array kSynonyms = {
    Synonym{"avx512vnni", "avx512_vnni"},
    Synonym{"avx512bf16", "avx512_bf16"},
    Synonym{"avx512fp16", "avx512_fp16"},
    Synonym{"avxvnni", "avx_vnni"},
    Synonym{"sse3", "pni"},
    Synonym{"sse4.1", "sse4_1"},
    Synonym{"sse4.2", "sse4_2"},
    Synonym{"lzcnt", "abm"},
    Synonym{"bmi", "bmi1"},
};

}  // namespace

std::string_view Architecture() { return "x86_64"; }

CpuFeature FindCpuFeature(std::string_view name) {
  return FindIn(kFeatures, kSynonyms, name, IsPresent);
}

std::vector<std::string> KnownCpuFeatures() { return NamesOf(kFeatures); }

}  // namespace mobilenet_tvm
