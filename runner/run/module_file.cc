#include "run/module_loader.h"
#include "run/tvm_call.h"

namespace mobilenet_tvm {

tvm::ffi::Any LoadModule(const Package& package) {
  return CallTvm(RegisteredInTvm("ffi.ModuleLoadFromFile"),
                 tvm::ffi::String((package.root / "module.so").string()));
}

}  // namespace mobilenet_tvm
