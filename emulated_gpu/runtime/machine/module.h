// Device code that is loaded, and the kernels compiled for the CPU that run in its place.
#pragma once
#include <cstdint>
#include <string>

#include "abi.h"

namespace emulated {

struct Module {
  void* handle = nullptr;
  const EmulatedKernel* kernels = nullptr;
  uint32_t count = 0;
};

// A kernel of a module, and what the host set for it.
struct Function {
  const EmulatedKernel* kernel = nullptr;
  unsigned dynamic_shared_limit = 48 * 1024;
};

// The kernels that stand for an image: a fatbin that the device's description knows by its SHA-256, or one that names its
// shared object itself (kNamedImage and a path). Null if there are none; the reason was reported.
Module* LoadModule(const void* image);

// Null if the module has no such kernel.
Function* FindFunction(const Module& module, const std::string& name);

constexpr char kNamedImage[] = "emulated-gpu";

// Whether an address is in the constants of kernels.
bool InKernelImage(uintptr_t address);

}  // namespace emulated
