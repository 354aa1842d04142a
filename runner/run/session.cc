#include "run/session.h"

#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/function.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "error.h"
#include "run/cuda_graphs.h"
#include "run/module_loader.h"
#include "run/tvm_call.h"

namespace mobilenet_tvm {
namespace {

namespace ffi = tvm::ffi;

// TVM's kernels assume this alignment of their arguments.
constexpr std::size_t kAlignment = 64;

struct AlignedAllocator {
  static void AllocData(DLTensor* tensor) {
    const std::size_t bytes =
        (ffi::GetDataSize(*tensor) + kAlignment - 1) / kAlignment * kAlignment;
    tensor->data = std::aligned_alloc(kAlignment, bytes);
    if (tensor->data == nullptr) {
      throw std::bad_alloc();
    }
  }
  static void FreeData(DLTensor* tensor) { std::free(tensor->data); }
};

constexpr DLDevice kHost{kDLCPU, 0};

/// A tensor of floats for the network to read.
ffi::Tensor NewInput(const std::vector<std::int64_t>& shape, DLDevice device) {
  const DLDataType dtype{kDLFloat, 32, 1};
  if (device.device_type == kDLCPU) {
    return ffi::Tensor::FromNDAlloc(AlignedAllocator(), ffi::Shape(shape), dtype, device);
  }
  const ffi::Any made = CallTvm(RegisteredInTvm("runtime.TVMTensorAllocWithScope"),
                                ffi::Shape(shape), dtype, device, nullptr);
  return made.cast<ffi::Tensor>();
}

ffi::Function FunctionOf(const ffi::Any& module, const char* name) {
  const ffi::Any found = CallTvm(RegisteredInTvm("ffi.ModuleGetFunction"), module,
                                 ffi::String(name), /*query_imports=*/false);
  auto function = found.as<ffi::Function>();
  // None converts to a function too, to a null one.
  if (!function || *function == nullptr) {
    throw SystemError(std::string("it has no function ") + name);
  }
  return *std::move(function);
}

}  // namespace

struct Session::State {
  DLDevice device = kHost;
  ffi::Any module;
  ffi::Any vm;
  ffi::Function main;
  ffi::Tensor input;
  ffi::Any output;

  /// Waits for what was given to the GPU; TVM only queues it there.
  void Synchronise() const {
    if (device.device_type != kDLCPU) {
      constexpr std::int64_t kDefaultStream = 0;
      CallTvm(RegisteredInTvm("runtime.Device_StreamSync"), device, kDefaultStream);
    }
  }
};

void SetThreads(int threads) {
  if (setenv("TVM_NUM_THREADS", std::to_string(threads).c_str(), /*overwrite=*/1) != 0) {
    throw SystemError("cannot set TVM_NUM_THREADS");
  }
}

Session::Session(const Package& package) : state_(std::make_unique<State>()) {
  constexpr int kPooledAllocator = 2;
  if (package.manifest.device_code) {
    state_->device = DLDevice{kDLCUDA, 0};
  }
  const auto kind = static_cast<int>(state_->device.device_type);
  try {
    state_->module = LoadModule(package);
    state_->vm = CallTvm(FunctionOf(state_->module, "vm_load_executable"));
    const ffi::Function initialise = FunctionOf(state_->vm, "vm_initialization");
    if (kind == static_cast<int>(kDLCPU)) {
      CallTvm(initialise, kind, 0, kPooledAllocator);
    } else {
      // The VM computes shapes on the CPU.
      CallTvm(initialise, kind, 0, kPooledAllocator, static_cast<int>(kDLCPU), 0, kPooledAllocator);
    }
    state_->main = FunctionOf(state_->vm, "main");
  } catch (const SystemError& error) {
    throw UserError(std::string("module.so: does not load: ") + error.what());
  }
  state_->input = NewInput(package.manifest.inputs.front().shape, state_->device);
}

Session::~Session() = default;

void Session::SetInput(const std::vector<float>& values) {
  if (values.size() != static_cast<std::size_t>(state_->input.numel())) {
    throw SystemError("the input has " + std::to_string(values.size()) + " values, not " +
                      std::to_string(state_->input.numel()));
  }
  const std::size_t bytes = values.size() * sizeof(float);
  if (state_->device.device_type == kDLCPU) {
    std::memcpy(state_->input.data_ptr(), values.data(), bytes);
  } else {
    CallTvm(RegisteredInTvm("runtime.TVMTensorCopyFromBytes"), state_->input,
            static_cast<void*>(const_cast<float*>(values.data())),
            static_cast<std::int64_t>(bytes));
  }
}

double Session::Run() {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  state_->output = CallTvm(state_->main, state_->input);
  state_->Synchronise();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::vector<KernelCall> Session::RunInstrumented() {
  using Clock = std::chrono::steady_clock;
  std::vector<KernelCall> calls;
  Clock::time_point begin;
  // The VM calls it before and after each call: (function, name, is_before, result, arguments...).
  const auto instrument = ffi::Function::FromPacked(
      [this, &calls, &begin](const ffi::AnyView* args, std::int32_t count, ffi::Any* result) {
        constexpr int kName = 1;
        constexpr int kIsBefore = 2;
        state_->Synchronise();
        const auto now = Clock::now();
        const auto before = count > kIsBefore ? args[kIsBefore].try_cast<bool>() : std::nullopt;
        const auto name = count > kIsBefore ? args[kName].try_cast<ffi::String>() : std::nullopt;
        if (before && name && !*before) {
          const std::chrono::duration<double, std::milli> spent = now - begin;
          calls.push_back({std::string(name->data(), name->size()), spent.count()});
        }
        constexpr int kCarryOn = 0;
        *result = kCarryOn;
        begin = Clock::now();
      });
  const ffi::Function set_instrument = FunctionOf(state_->vm, "set_instrument");
  UseCudaGraphs(false);  // inside a graph there are no calls
  CallTvm(set_instrument, instrument);
  state_->output = CallTvm(state_->main, state_->input);
  CallTvm(set_instrument, ffi::Function(nullptr));
  UseCudaGraphs(true);
  return calls;
}

FloatArray Session::Output() const {
  auto tensor = state_->output.as<ffi::Tensor>();
  if (!tensor) {
    const auto tuple = state_->output.as<ffi::Array<ffi::Any>>();
    if (tuple && !tuple->empty()) {
      tensor = (*tuple)[0].as<ffi::Tensor>();
    }
  }
  if (!tensor) {
    throw SystemError("the network's output is not a tensor");
  }
  const DLDataType dtype = tensor->dtype();
  if (dtype.code != kDLFloat || dtype.bits != 32 || dtype.lanes != 1 || !tensor->IsContiguous() ||
      tensor->device().device_type != state_->device.device_type) {
    throw SystemError("the network's output is not dense float32 where the network runs");
  }
  FloatArray array;
  for (const std::int64_t extent : tensor->shape()) {
    array.shape.push_back(extent);
  }
  array.data.resize(static_cast<std::size_t>(tensor->numel()));
  const std::size_t bytes = array.data.size() * sizeof(float);
  if (state_->device.device_type == kDLCPU) {
    std::memcpy(array.data.data(), tensor->data_ptr(), bytes);
  } else {
    CallTvm(RegisteredInTvm("runtime.TVMTensorCopyToBytes"), *tensor,
            static_cast<void*>(array.data.data()), static_cast<std::int64_t>(bytes));
  }
  return array;
}

}  // namespace mobilenet_tvm
