#include "session.h"

#include <tvm/ffi/container/array.h>
#include <tvm/ffi/container/tensor.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "error.h"
#include "tvm_call.h"

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

ffi::Function FunctionOf(const ffi::Any& module, const char* name) {
  const ffi::Any found =
      Call(Registered("ffi.ModuleGetFunction"), module, ffi::String(name), /*query_imports=*/false);
  auto function = found.as<ffi::Function>();
  // None converts to a function too, to a null one.
  if (!function || *function == nullptr) {
    throw SystemError(std::string("it has no function ") + name);
  }
  return *std::move(function);
}

}  // namespace

struct Session::State {
  ffi::Any module;
  ffi::Any vm;
  ffi::Function main;
  ffi::Tensor input;
  ffi::Any output;
};

void SetThreads(int threads) {
  if (setenv("TVM_NUM_THREADS", std::to_string(threads).c_str(), /*overwrite=*/1) != 0) {
    throw SystemError("cannot set TVM_NUM_THREADS");
  }
}

Session::Session(const std::filesystem::path& module, const TensorSpec& input)
    : state_(std::make_unique<State>()) {
  constexpr int kPooledAllocator = 2;
  try {
    state_->module = Call(Registered("ffi.ModuleLoadFromFile"), ffi::String(module.string()));
    state_->vm = Call(FunctionOf(state_->module, "vm_load_executable"));
    Call(FunctionOf(state_->vm, "vm_initialization"), static_cast<int>(kDLCPU), 0,
         kPooledAllocator);
    state_->main = FunctionOf(state_->vm, "main");
  } catch (const SystemError& error) {
    throw UserError(std::string("module.so: does not load: ") + error.what());
  }
  state_->input = ffi::Tensor::FromNDAlloc(AlignedAllocator(), ffi::Shape(input.shape),
                                           DLDataType{kDLFloat, 32, 1}, DLDevice{kDLCPU, 0});
}

Session::~Session() = default;

void Session::SetInput(const std::vector<float>& values) {
  if (values.size() != static_cast<std::size_t>(state_->input.numel())) {
    throw SystemError("the input has " + std::to_string(values.size()) + " values, not " +
                      std::to_string(state_->input.numel()));
  }
  std::memcpy(state_->input.data_ptr(), values.data(), values.size() * sizeof(float));
}

double Session::Run() {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  state_->output = Call(state_->main, state_->input);
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::vector<KernelCall> Session::RunInstrumented() {
  using Clock = std::chrono::steady_clock;
  std::vector<KernelCall> calls;
  Clock::time_point begin;
  // The VM calls it before and after each call: (function, name, is_before, result, arguments...).
  const auto instrument = ffi::Function::FromPacked(
      [&calls, &begin](const ffi::AnyView* args, std::int32_t count, ffi::Any* result) {
        constexpr int kName = 1;
        constexpr int kIsBefore = 2;
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
  Call(set_instrument, instrument);
  state_->output = Call(state_->main, state_->input);
  Call(set_instrument, ffi::Function(nullptr));
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
      tensor->device().device_type != kDLCPU) {
    throw SystemError("the network's output is not dense float32 on the CPU");
  }
  FloatArray array;
  for (const std::int64_t extent : tensor->shape()) {
    array.shape.push_back(extent);
  }
  const auto* data = static_cast<const float*>(tensor->data_ptr());
  array.data.assign(data, data + tensor->numel());
  return array;
}

}  // namespace mobilenet_tvm
