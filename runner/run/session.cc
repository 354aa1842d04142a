#include "run/session.h"

#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/function.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

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
    // A tensor without elements has an address too.
    const std::size_t size = std::max<std::size_t>(ffi::GetDataSize(*tensor), 1);
    const std::size_t bytes = (size + kAlignment - 1) / kAlignment * kAlignment;
    tensor->data = std::aligned_alloc(kAlignment, bytes);
    if (tensor->data == nullptr) {
      throw std::bad_alloc();
    }
  }
  static void FreeData(DLTensor* tensor) { std::free(tensor->data); }
};

constexpr DLDevice kHost{kDLCPU, 0};

DLDataType TypeOf(const Dtype& dtype) {
  DLDataTypeCode code = kDLFloat;
  switch (dtype.kind) {
    case Dtype::Kind::kBool:
      code = kDLBool;
      break;
    case Dtype::Kind::kInt:
      code = kDLInt;
      break;
    case Dtype::Kind::kUint:
      code = kDLUInt;
      break;
    case Dtype::Kind::kFloat:
      break;
  }
  constexpr std::size_t kBits = 8;
  return {static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(dtype.bytes * kBits), 1};
}

/// The dtype of a tensor, or null where this program knows none like it.
const Dtype* DtypeOf(DLDataType type) {
  const std::string bits = std::to_string(type.bits);
  if (type.lanes != 1) {
    return nullptr;
  }
  switch (type.code) {
    case kDLBool:
      return FindDtype("bool");
    case kDLInt:
      return FindDtype("int" + bits);
    case kDLUInt:
      return type.bits == 1 ? FindDtype("bool") : FindDtype("uint" + bits);
    case kDLFloat:
      return FindDtype("float" + bits);
    default:
      return nullptr;
  }
}

/// A tensor for the network to read.
ffi::Tensor NewInput(const TensorSpec& spec, DLDevice device) {
  const DLDataType dtype = TypeOf(*spec.dtype);
  if (device.device_type == kDLCPU) {
    return ffi::Tensor::FromNDAlloc(AlignedAllocator(), ffi::Shape(spec.shape), dtype, device);
  }
  const ffi::Any made = CallTvm(RegisteredInTvm("runtime.TVMTensorAllocWithScope"),
                                ffi::Shape(spec.shape), dtype, device, nullptr);
  return made.cast<ffi::Tensor>();
}

Array ReadTensor(const ffi::Tensor& tensor, DLDevice device) {
  const Dtype* const dtype = DtypeOf(tensor.dtype());
  if (dtype == nullptr || !tensor.IsContiguous() ||
      tensor.device().device_type != device.device_type) {
    throw SystemError("an output of the network is no dense tensor where the network runs");
  }
  Array array{dtype, {}, {}};
  for (const std::int64_t extent : tensor.shape()) {
    array.shape.push_back(extent);
  }
  array.bytes.resize(static_cast<std::size_t>(tensor.numel()) * dtype->bytes);
  if (array.bytes.empty()) {
    return array;
  }
  if (device.device_type == kDLCPU) {
    std::memcpy(array.bytes.data(), tensor.data_ptr(), array.bytes.size());
  } else {
    CallTvm(RegisteredInTvm("runtime.TVMTensorCopyToBytes"), tensor,
            static_cast<void*>(array.bytes.data()), static_cast<std::int64_t>(array.bytes.size()));
  }
  return array;
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
  std::vector<ffi::Tensor> inputs;
  ffi::Any output;

  void CallMain() { output = CallTvmWith(main, {inputs.begin(), inputs.end()}); }

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
  for (const TensorSpec& spec : package.manifest.inputs) {
    state_->inputs.push_back(NewInput(spec, state_->device));
  }
}

Session::~Session() = default;

void Session::SetInputs(const std::vector<Array>& inputs) {
  if (inputs.size() != state_->inputs.size()) {
    throw SystemError(std::to_string(inputs.size()) + " inputs for " +
                      std::to_string(state_->inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ffi::Tensor& tensor = state_->inputs[i];
    const std::vector<char>& bytes = inputs[i].bytes;
    if (bytes.size() != ffi::GetDataSize(*tensor.GetDLTensorPtr())) {
      throw SystemError("input " + std::to_string(i) + " is of another size");
    }
    if (bytes.empty()) {
      continue;
    }
    if (state_->device.device_type == kDLCPU) {
      std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
    } else {
      CallTvm(RegisteredInTvm("runtime.TVMTensorCopyFromBytes"), tensor,
              static_cast<void*>(const_cast<char*>(bytes.data())),
              static_cast<std::int64_t>(bytes.size()));
    }
  }
}

double Session::Run() {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  state_->CallMain();
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
  state_->CallMain();
  CallTvm(set_instrument, ffi::Function(nullptr));
  UseCudaGraphs(true);
  return calls;
}

std::vector<Array> Session::Outputs() const {
  if (const auto tensor = state_->output.as<ffi::Tensor>()) {
    return {ReadTensor(*tensor, state_->device)};
  }
  const auto tuple = state_->output.as<ffi::Array<ffi::Any>>();
  if (!tuple) {
    throw SystemError("the network's output is not a tensor");
  }
  std::vector<Array> outputs;
  for (const ffi::Any& item : *tuple) {
    const auto tensor = item.as<ffi::Tensor>();
    if (!tensor) {
      throw SystemError("an output of the network is not a tensor");
    }
    outputs.push_back(ReadTensor(*tensor, state_->device));
  }
  return outputs;
}

}  // namespace mobilenet_tvm
