#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cpu/cpu_features.h"

namespace mobilenet_tvm {

/// LLVM's spelling of a feature, and the kernel's.
struct Synonym {
  std::string_view theirs;
  std::string_view ours;
};

/// Looks a feature up, by either spelling, among an architecture's `features`, which have a `name`.
template <typename Features, typename Synonyms, typename IsPresent>
CpuFeature FindIn(const Features& features, const Synonyms& synonyms, std::string_view name,
                  IsPresent is_present) {
  for (const auto& [theirs, ours] : synonyms) {
    if (theirs == name) {
      name = ours;
      break;
    }
  }
  for (const auto& feature : features) {
    if (feature.name == name) {
      return is_present(feature) ? CpuFeature::kPresent : CpuFeature::kMissing;
    }
  }
  return CpuFeature::kUnknown;
}

template <typename Features>
std::vector<std::string> NamesOf(const Features& features) {
  std::vector<std::string> names;
  names.reserve(features.size());
  for (const auto& feature : features) {
    names.emplace_back(feature.name);
  }
  return names;
}

}  // namespace mobilenet_tvm
