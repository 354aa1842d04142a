#include "run/gpu.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string>

#include "error.h"
#include "run/cuda_graphs.h"

namespace mobilenet_tvm {
namespace {

// TVM's CUDA runtime is linked against libcudart.so.13, which takes drivers of its own generation and newer.
constexpr int kCudaNeeded = 13000;
constexpr const char* kDriver = "libcuda.so.1";
constexpr const char* kCudart = "libcudart.so.13";
constexpr const char* kTvmRuntime = "libtvm_runtime_cuda.so";
constexpr int kNoDevice = 100;  // CUDA_ERROR_NO_DEVICE, cudaErrorNoDevice
constexpr int kMajorAttribute = 75;
constexpr int kMinorAttribute = 76;

std::string DriverNeeded(const DeviceCode& code) {
  const bool is_branch = std::all_of(code.driver.begin(), code.driver.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
  if (code.driver.empty()) {
    return "a driver for CUDA 13 is needed";
  }
  return (is_branch ? "driver branch " : "") + code.driver + " or newer is needed";
}

std::string Version(int cuda) {
  return std::to_string(cuda / 1000) + "." + std::to_string(cuda % 1000 / 10);
}

std::string Capability(int number) {
  return std::to_string(number / 10) + "." + std::to_string(number % 10);
}

std::string LoaderError() {
  const char* const text = dlerror();
  return text == nullptr ? "does not load" : text;
}

/// A library that is loaded for as long as the program runs.
class Library {
 public:
  explicit Library(const char* name) : name_(name), handle_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) {
      failure_ = LoaderError();
    }
  }

  bool IsLoaded() const { return handle_ != nullptr; }
  const std::string& Failure() const { return failure_; }

  template <typename... Args>
  int Call(const char* function, Args... args) const {
    void* const found = dlsym(handle_, function);
    if (found == nullptr) {
      throw UserError(name_ + ": has no function " + function + ": it is of another version");
    }
    return reinterpret_cast<int (*)(Args...)>(found)(args...);
  }

 private:
  std::string name_;
  void* handle_;
  std::string failure_;
};

void CheckDriver(const Library& driver, const DeviceCode& code, Gpu& gpu) {
  if (!driver.IsLoaded()) {
    throw UserError("the package needs an NVIDIA GPU, and there is no driver for one: " +
                    driver.Failure() + "; " + DriverNeeded(code));
  }
  const int started = driver.Call("cuInit", 0U);
  if (started == kNoDevice) {
    throw UserError("the package needs an NVIDIA GPU, and the driver finds none");
  }
  if (started != 0) {
    throw UserError("the NVIDIA driver does not start (CUDA error " + std::to_string(started) +
                    "): " + DriverNeeded(code) + ", and the GPU must be usable (nvidia-smi)");
  }
  driver.Call("cuDriverGetVersion", &gpu.cuda_version);
  if (gpu.cuda_version < kCudaNeeded) {
    throw UserError("the NVIDIA driver is too old: it is that of CUDA " +
                    Version(gpu.cuda_version) + ", the package needs CUDA " + Version(kCudaNeeded) +
                    "'s: " + DriverNeeded(code));
  }
}

void CheckDevice(const Library& cudart, const DeviceCode& code, Gpu& gpu) {
  if (!cudart.IsLoaded()) {
    throw UserError(
        "the package needs CUDA 13's runtime library: " + cudart.Failure() +
        "; install it (Debian, Ubuntu: cuda-cudart-13-0; PyPI: nvidia-cuda-runtime) and name its "
        "folder in LD_LIBRARY_PATH");
  }
  int count = 0;
  const int counted = cudart.Call("cudaGetDeviceCount", &count);
  if (counted != 0 || count == 0) {
    throw UserError("the package needs an NVIDIA GPU, and CUDA finds none that it may use (error " +
                    std::to_string(counted) + "; CUDA_VISIBLE_DEVICES names those it may)");
  }
  constexpr int kDevice = 0;
  int major = 0;
  int minor = 0;
  cudart.Call("cudaDeviceGetAttribute", &major, kMajorAttribute, kDevice);
  cudart.Call("cudaDeviceGetAttribute", &minor, kMinorAttribute, kDevice);
  gpu.compute_capability = major * 10 + minor;
  if (gpu.compute_capability < code.compute_capability) {
    throw UserError("the GPU (" + gpu.name + ") has compute capability " +
                    Capability(gpu.compute_capability) + ", the package needs " +
                    Capability(code.compute_capability) + ": compile it for cuda-sm_" +
                    std::to_string(gpu.compute_capability));
  }
}

std::string NameOf(const Library& driver) {
  std::array<char, 128> name{};
  int device = 0;
  const bool known =
      driver.Call("cuDeviceGet", &device, 0) == 0 &&
      driver.Call("cuDeviceGetName", name.data(), static_cast<int>(name.size()), device) == 0;
  return known ? std::string(name.data()) : "unknown";
}

}  // namespace

Gpu LoadGpu(const DeviceCode& code) {
  Gpu gpu{"unknown", 0, 0, false};
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread yet
  const char* const emulated = std::getenv("MOBILENET_TVM_EMULATED_GPU");
  gpu.emulated = emulated != nullptr && std::string(emulated) == "1";
  const Library driver(kDriver);
  CheckDriver(driver, code, gpu);
  gpu.name = NameOf(driver);
  const Library cudart(kCudart);
  CheckDevice(cudart, code, gpu);
  const Library runtime(kTvmRuntime);
  if (!runtime.IsLoaded()) {
    throw UserError("TVM's CUDA runtime does not load: " + runtime.Failure());
  }
  WatchCudaGraphs();
  return gpu;
}

}  // namespace mobilenet_tvm
