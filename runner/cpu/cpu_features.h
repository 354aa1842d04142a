#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet_tvm {

/// The architecture this program was built for, as manifests name it ("x86_64").
std::string_view Architecture();

enum class CpuFeature : std::uint8_t { kPresent, kMissing, kUnknown };

/// Whether this CPU, and the kernel for the registers, offers a feature; names are those of /proc/cpuinfo.
CpuFeature FindCpuFeature(std::string_view name);

/// Every feature name that FindCpuFeature knows.
std::vector<std::string> KnownCpuFeatures();

/// Throws UserError naming the features of `required` that this CPU lacks or this program does not know.
void RequireCpuFeatures(const std::vector<std::string>& required);

}  // namespace mobilenet_tvm
