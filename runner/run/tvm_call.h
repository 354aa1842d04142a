#pragma once

#include <tvm/ffi/any.h>
#include <tvm/ffi/c_api.h>
#include <tvm/ffi/function.h>

#include <string>
#include <utility>
#include <vector>

#include "error.h"

namespace mobilenet_tvm {

/// A message's first line; TVM's go on with a trace.
inline std::string FirstLine(const std::string& message) {
  return message.substr(0, message.find('\n'));
}

/// Calls a function of TVM's. Throws SystemError with the first line of what it says.
///
/// TVM is called through its C interface only (CallExpected): this program carries its own C++ runtime, and an exception
/// thrown by TVM's must not have to unwind through it.
template <typename... Args>
tvm::ffi::Any CallTvm(const tvm::ffi::Function& function, Args&&... args) {
  const auto result = function.CallExpected<tvm::ffi::Any>(std::forward<Args>(args)...);
  if (result.is_err()) {
    throw SystemError(FirstLine(result.error().message()));
  }
  return result.value();
}

/// Calls a function of TVM's with as many arguments as there are, by its C interface too. Throws SystemError.
inline tvm::ffi::Any CallTvmWith(const tvm::ffi::Function& function,
                                 const std::vector<tvm::ffi::AnyView>& arguments) {
  tvm::ffi::Any result;
  TVMFFIObject* const object =
      tvm::ffi::details::ObjectUnsafe::TVMFFIObjectPtrFromObjectRef(function);
  const int failed = TVMFFIFunctionCall(
      object, const_cast<TVMFFIAny*>(reinterpret_cast<const TVMFFIAny*>(arguments.data())),
      static_cast<std::int32_t>(arguments.size()), reinterpret_cast<TVMFFIAny*>(&result));
  if (failed != 0) {
    throw SystemError(FirstLine(tvm::ffi::details::MoveFromSafeCallRaised().message()));
  }
  return result;
}

/// A function that TVM's runtime registered under that name. Throws SystemError.
inline tvm::ffi::Function RegisteredInTvm(const char* name) {
  auto function = tvm::ffi::Function::GetGlobal(name);
  if (!function) {
    throw SystemError(std::string("the TVM runtime has no ") + name + ": it is of another version");
  }
  return *std::move(function);
}

}  // namespace mobilenet_tvm
