#include "cpu/cpu_features.h"

#include "error.h"

namespace mobilenet_tvm {

void RequireCpuFeatures(const std::vector<std::string>& required) {
  std::string missing;
  for (const std::string& name : required) {
    switch (FindCpuFeature(name)) {
      case CpuFeature::kPresent:
        break;
      case CpuFeature::kMissing:
        missing += (missing.empty() ? "" : ", ") + name;
        break;
      case CpuFeature::kUnknown:
        throw UserError(
            "the package needs the CPU feature \"" + name +
            "\", which this mobilenet-run does not know: use the one in the package's bin/");
    }
  }
  if (!missing.empty()) {
    throw UserError("this CPU lacks " + missing +
                    ", which the package needs: compile it for another target");
  }
}

}  // namespace mobilenet_tvm
