#pragma once

#include <tvm/ffi/any.h>

#include "package/package.h"

namespace mobilenet_tvm {

/// TVM's module of a package: module_file.cc loads a folder's module.so, static/module_static.cc finds the one that was
/// linked into the program. Throws SystemError.
tvm::ffi::Any LoadModule(const Package& package);

}  // namespace mobilenet_tvm
