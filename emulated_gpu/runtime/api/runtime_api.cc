// libcudart.so.13: devices, memory and errors.
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "api/cuda_api.h"
#include "checks/failure.h"
#include "machine/device.h"
#include "machine/memory.h"
#include "machine/stream.h"

namespace {

int last_error = emulated::kSuccess;

int NotWhileCapturing(const char* what) {
  if (emulated::Capturing() == 0) {
    return emulated::kSuccess;
  }
  emulated::Report(std::string(what) + " while a stream captures a graph");
  return emulated::SetError(emulated::kCaptureUnsupported);
}

}  // namespace

int emulated::SetError(int error) {
  if (error != kSuccess) {
    last_error = error;
  }
  return error;
}

// NOLINTBEGIN(readability-identifier-naming)
#pragma GCC visibility push(default)
extern "C" {

int cudaRuntimeGetVersion(int* version) {
  *version = emulated::kCudaVersion;
  return emulated::kSuccess;
}

int cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }

int cudaGetDeviceCount(int* count) {
  *count = 1;
  return emulated::kSuccess;
}

int cudaGetDevice(int* device) {
  *device = 0;
  return emulated::kSuccess;
}

int cudaSetDevice(int device) {
  return emulated::SetError(device == 0 ? emulated::kSuccess : emulated::kInvalidValue);
}

int cudaDeviceGetAttribute(int* value, int attribute, int /*device*/) {
  const emulated::Device& device = emulated::TheDevice();
  const auto number = [value](unsigned known) {
    *value = static_cast<int>(known);
    return static_cast<int>(emulated::kSuccess);
  };
  switch (attribute) {
    case 1:
    case 2:
    case 3:
      return number(device.threads_per_block);
    case 4:
      return number(64);
    case 5:
      return number(0x7FFFFFFF);
    case 6:
    case 7:
      return number(65535);
    case 8:
      return number(48 * 1024);
    case 10:
      return number(32);
    case 12:
    case 82:
      return number(device.registers_per_multiprocessor);
    case 13:
      return number(device.clock_mhz * 1000);
    case 16:
      return number(device.multiprocessors);
    case 38:
      return number(device.l2_bytes);
    case 39:
      return number(device.threads_per_multiprocessor);
    case 75:
      return number(device.compute_capability / 10);
    case 76:
      return number(device.compute_capability % 10);
    case 81:
      return number(device.shared_bytes_per_multiprocessor);
    case 97:
      return number(device.shared_bytes_per_block);
    default:
      emulated::Report("device attribute " + std::to_string(attribute) + " is not known");
      return emulated::SetError(emulated::kInvalidValue);
  }
}

int cudaGetDeviceProperties(emulated::Properties* properties, int /*device*/) {
  const emulated::Device& device = emulated::TheDevice();
  std::memset(static_cast<void*>(properties), 0, emulated::kPropertiesBytes);
  std::strncpy(properties->name, device.name.c_str(), sizeof properties->name - 1);
  properties->memory_bytes = device.memory_bytes;
  properties->shared_bytes_per_block = size_t{48} * 1024;
  properties->registers_per_block = static_cast<int>(device.registers_per_multiprocessor);
  properties->warp_size = 32;
  properties->threads_per_block = static_cast<int>(device.threads_per_block);
  properties->major = static_cast<int>(device.compute_capability / 10);
  properties->minor = static_cast<int>(device.compute_capability % 10);
  properties->multiprocessors = static_cast<int>(device.multiprocessors);
  return emulated::kSuccess;
}

int cudaMalloc(void** pointer, size_t bytes) {
  if (const int error = NotWhileCapturing("cudaMalloc")) {
    return error;
  }
  if (bytes > emulated::TheDevice().memory_bytes - emulated::AllocatedBytes()) {
    emulated::Report("no device memory for " + std::to_string(bytes) + " more bytes");
    return emulated::SetError(emulated::kOutOfMemory);
  }
  *pointer = bytes == 0 ? nullptr : emulated::Allocate(bytes);
  return emulated::SetError(*pointer != nullptr || bytes == 0 ? emulated::kSuccess
                                                              : emulated::kOutOfMemory);
}

int cudaFree(void* pointer) {
  if (const int error = NotWhileCapturing("cudaFree")) {
    return error;
  }
  if (pointer == nullptr || emulated::Free(pointer)) {
    return emulated::kSuccess;
  }
  emulated::Report(
      "cudaFree of a pointer that cudaMalloc did not return, or of one that is free already");
  return emulated::SetError(emulated::kInvalidValue);
}

int cudaMallocHost(void** pointer, size_t bytes) {
  *pointer = std::malloc(bytes);
  return emulated::SetError(*pointer != nullptr ? emulated::kSuccess : emulated::kOutOfMemory);
}

int cudaFreeHost(void* pointer) {
  std::free(pointer);
  return emulated::kSuccess;
}

int cudaMemGetInfo(size_t* free, size_t* total) {
  *total = emulated::TheDevice().memory_bytes;
  *free = *total - emulated::AllocatedBytes();
  return emulated::kSuccess;
}

int cudaMemcpyAsync(void* to, const void* from, size_t bytes, int /*kind*/,
                    emulated::Stream* stream) {
  const bool done = emulated::Submit(stream, emulated::MemoryCopy{to, from, bytes});
  return emulated::SetError(done ? emulated::kSuccess : emulated::kInvalidValue);
}

int cudaMemcpyPeerAsync(void* to, int /*to_device*/, const void* from, int /*from_device*/,
                        size_t bytes, emulated::Stream* stream) {
  return cudaMemcpyAsync(to, from, bytes, 0, stream);
}

int cudaPeekAtLastError() { return last_error; }

int cudaGetLastError() { return std::exchange(last_error, emulated::kSuccess); }

const char* cudaGetErrorString(int error) {
  if (error == emulated::kSuccess) {
    return "no error";
  }
  const std::string& message = emulated::LastMessage();
  return message.empty() ? "an error of the emulated GPU" : message.c_str();
}

const char* cudaGetErrorName(int error) { return cudaGetErrorString(error); }

}  // extern "C"
#pragma GCC visibility pop
// NOLINTEND(readability-identifier-naming)
