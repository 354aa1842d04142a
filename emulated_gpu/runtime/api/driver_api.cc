// libcuda.so.1: the functions of CUDA's driver that TVM's runtime calls.
#include <algorithm>
#include <cstring>
#include <string>

#include "api/cuda_api.h"
#include "checks/failure.h"
#include "machine/device.h"
#include "machine/module.h"
#include "machine/stream.h"

namespace {

using emulated::Function;
using emulated::Module;

// A failure's name is what went wrong: callers print it.
const char* Name(int error) {
  if (error == emulated::kSuccess) {
    return "CUDA_SUCCESS";
  }
  const std::string& message = emulated::LastMessage();
  return message.empty() ? "an error of the emulated GPU" : message.c_str();
}

bool KnowsAttributes(const emulated::LaunchConfig& config) {
  for (unsigned i = 0; i < config.attribute_count; ++i) {
    const int id = config.attributes[i].id;
    if (id == 0 || id == emulated::kAttributeProgrammaticStream) {
      continue;
    }
    emulated::Report("launch attribute " + std::to_string(id) +
                     " (clusters, cooperative launches, ...) is not known");
    return false;
  }
  return true;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming)
#pragma GCC visibility push(default)
extern "C" {

int cuInit(unsigned /*flags*/) { return emulated::kSuccess; }

int cuDriverGetVersion(int* version) {
  *version = emulated::kCudaVersion;
  return emulated::kSuccess;
}

int cuDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal == 0 ? emulated::kSuccess : emulated::kInvalidValue;
}

int cuDeviceGetName(char* name, int size, int /*device*/) {
  if (size < 1) {
    return emulated::kInvalidValue;
  }
  std::strncpy(name, emulated::TheDevice().name.c_str(), static_cast<size_t>(size) - 1);
  name[size - 1] = '\0';
  return emulated::kSuccess;
}

int cuGetErrorName(int error, const char** text) {
  *text = Name(error);
  return emulated::kSuccess;
}

int cuGetErrorString(int error, const char** text) { return cuGetErrorName(error, text); }

int cuModuleLoadData(Module** module, const void* image) {
  *module = emulated::LoadModule(image);
  return *module != nullptr ? emulated::kSuccess : emulated::kInvalidImage;
}

int cuModuleUnload(Module* module) {
  delete module;  // its kernels stay loaded: functions of it may outlive it
  return emulated::kSuccess;
}

int cuModuleGetFunction(Function** function, Module* module, const char* name) {
  *function = emulated::FindFunction(*module, name);
  return *function != nullptr ? emulated::kSuccess : emulated::kNotFound;
}

int cuFuncSetAttribute(Function* function, int attribute, int value) {
  if (attribute != emulated::kFunctionMaxDynamicShared) {
    emulated::Report("function attribute " + std::to_string(attribute) + " is not known");
    return emulated::kNotSupported;
  }
  const unsigned limit = emulated::TheDevice().shared_bytes_per_block;
  if (value < 0 || static_cast<unsigned>(value) > limit) {
    emulated::Report(
        "kernel " + std::string(function->kernel->name) + " asks for " + std::to_string(value) +
        " bytes of shared memory, and a block of this device can have " + std::to_string(limit));
    return emulated::kInvalidValue;
  }
  function->dynamic_shared_limit =
      std::max(function->dynamic_shared_limit, static_cast<unsigned>(value));
  return emulated::kSuccess;
}

int cuLaunchKernelEx(const emulated::LaunchConfig* config, Function* function, void** arguments,
                     void** extra) {
  if (extra != nullptr || !KnowsAttributes(*config)) {
    return emulated::kNotSupported;
  }
  emulated::Shape shape;
  std::copy_n(config->grid, 3, shape.grid.begin());
  std::copy_n(config->block, 3, shape.block.begin());
  shape.dynamic_shared_bytes = config->shared_bytes;
  emulated::Launch launch = emulated::MakeLaunch(*function, shape, arguments);
  if (!emulated::Allowed(launch)) {
    return emulated::kInvalidValue;
  }
  auto* stream = static_cast<emulated::Stream*>(config->stream);
  return emulated::Submit(stream, std::move(launch)) ? emulated::kSuccess : emulated::kLaunchFailed;
}

int cuTensorMapEncodeTiled() {
  emulated::Report("tensor maps (TMA) are not known");
  return emulated::kNotSupported;
}

}  // extern "C"
#pragma GCC visibility pop
// NOLINTEND(readability-identifier-naming)
