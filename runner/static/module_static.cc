#include <tvm/ffi/extra/c_env_api.h>

#include "error.h"
#include "run/module_loader.h"
#include "run/tvm_call.h"

namespace mobilenet_tvm {

// The kernels' object file registers its functions when the program starts. What TVM would keep beside them in a module.so,
// the VM's code and the weights, lies behind the program, where it is checked first.
tvm::ffi::Any LoadModule(const Package& package) {
  const char* const binary = package.members.at("module.bin").data();
  if (TVMFFIEnvModRegisterSystemLibSymbol("__tvm_ffi__library_bin", const_cast<char*>(binary)) !=
      0) {
    throw SystemError("TVM does not take the network");
  }
  return CallTvm(RegisteredInTvm("ffi.SystemLib"));
}

}  // namespace mobilenet_tvm
