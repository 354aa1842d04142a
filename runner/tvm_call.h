#pragma once

#include <tvm/ffi/any.h>
#include <tvm/ffi/function.h>

#include <string>
#include <utility>

#include "error.h"

namespace mobilenet_tvm {

// TVM is called through its C interface only (CallExpected): this program carries its own C++ runtime, and an
// exception thrown by TVM's must not have to unwind through it.

/// Calls a function of TVM's. Throws SystemError with the first line of its error.
template <typename... Args>
tvm::ffi::Any Call(const tvm::ffi::Function& function, Args&&... args) {
  const auto result = function.CallExpected<tvm::ffi::Any>(std::forward<Args>(args)...);
  if (result.is_err()) {
    const std::string message = result.error().message();
    throw SystemError(message.substr(0, message.find('\n')));
  }
  return result.value();
}

/// A function that TVM's runtime has registered. Throws SystemError.
inline tvm::ffi::Function Registered(const char* name) {
  auto function = tvm::ffi::Function::GetGlobal(name);
  if (!function) {
    throw SystemError(std::string("the TVM runtime in lib/ has no ") + name +
                      ": it is of another version");
  }
  return *std::move(function);
}

}  // namespace mobilenet_tvm
