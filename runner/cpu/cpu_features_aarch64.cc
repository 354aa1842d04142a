#include <sys/auxv.h>

#include <array>
#include <cstdint>

#include "cpu/feature_table.h"

namespace mobilenet_tvm {
namespace {

// Which word of the auxiliary vector says it.
enum class Word : std::uint8_t { kHwcap, kHwcap2 };

struct Feature {
  std::string_view name;
  Word word;
  unsigned bit;
};

// Names as in Linux's arch/arm64/kernel/cpuinfo.c, bits as in its arch/arm64/include/uapi/asm/hwcap.h.
constexpr std::array kFeatures = {
    Feature{"fp", Word::kHwcap, 0},        Feature{"asimd", Word::kHwcap, 1},
    Feature{"aes", Word::kHwcap, 3},       Feature{"pmull", Word::kHwcap, 4},
    Feature{"sha1", Word::kHwcap, 5},      Feature{"sha2", Word::kHwcap, 6},
    Feature{"crc32", Word::kHwcap, 7},     Feature{"atomics", Word::kHwcap, 8},
    Feature{"fphp", Word::kHwcap, 9},      Feature{"asimdhp", Word::kHwcap, 10},
    Feature{"asimdrdm", Word::kHwcap, 12}, Feature{"jscvt", Word::kHwcap, 13},
    Feature{"fcma", Word::kHwcap, 14},     Feature{"lrcpc", Word::kHwcap, 15},
    Feature{"dcpop", Word::kHwcap, 16},    Feature{"sha3", Word::kHwcap, 17},
    Feature{"asimddp", Word::kHwcap, 20},  Feature{"sha512", Word::kHwcap, 21},
    Feature{"sve", Word::kHwcap, 22},      Feature{"asimdfhm", Word::kHwcap, 23},
    Feature{"uscat", Word::kHwcap, 25},    Feature{"ilrcpc", Word::kHwcap, 26},
    Feature{"sve2", Word::kHwcap2, 1},     Feature{"i8mm", Word::kHwcap2, 13},
    Feature{"bf16", Word::kHwcap2, 14},
};

// LLVM's spellings of the same features.
constexpr std::array kSynonyms = {
    Synonym{"fp-armv8", "fp"}, Synonym{"neon", "asimd"},       Synonym{"crc", "crc32"},
    Synonym{"lse", "atomics"}, Synonym{"fullfp16", "asimdhp"}, Synonym{"rdm", "asimdrdm"},
    Synonym{"rcpc", "lrcpc"},  Synonym{"dotprod", "asimddp"},
};

// From the kernel, and under QEMU's user mode from the emulated CPU's model; /proc/cpuinfo is the host's there.
bool IsPresent(const Feature& feature) {
  const unsigned long word = getauxval(feature.word == Word::kHwcap ? AT_HWCAP : AT_HWCAP2);
  return ((word >> feature.bit) & 1U) != 0;
}

}  // namespace

std::string_view Architecture() { return "aarch64"; }

CpuFeature FindCpuFeature(std::string_view name) {
  return FindIn(kFeatures, kSynonyms, name, IsPresent);
}

std::vector<std::string> KnownCpuFeatures() { return NamesOf(kFeatures); }

}  // namespace mobilenet_tvm
