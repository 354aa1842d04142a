#pragma once

#include "options.h"

namespace mobilenet_tvm {

/// Does what the command line asks for, prints it to standard output and returns the exit code. Throws UserError
/// and SystemError.
int RunCommand(const Options& options);

}  // namespace mobilenet_tvm
