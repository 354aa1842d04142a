#pragma once

#include <string>

#include "package/manifest.h"

namespace mobilenet_tvm {

/// The GPU that runs a package.
struct Gpu {
  std::string name;
  int compute_capability;  ///< 80 is 8.0
  int cuda_version;        ///< the newest that its driver knows: 13000 is 13.0
  bool emulated;  ///< its driver runs the source on the CPU, and says so in the environment
};

/// Finds the driver, CUDA's runtime and the GPU that a package's device code needs, and loads TVM's CUDA runtime.
/// Libraries are found by name, as the dynamic linker does. Throws UserError that names what is missing.
Gpu LoadGpu(const DeviceCode& code);

}  // namespace mobilenet_tvm
