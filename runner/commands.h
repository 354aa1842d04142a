#pragma once

#include <functional>
#include <string>

#include "options.h"

namespace mobilenet_tvm {

/// Takes what a command has to say, piece by piece.
using Output = std::function<void(const std::string&)>;

/// Does what the command line asks for and returns the exit code. Throws UserError and SystemError.
int RunCommand(const Options& options, const Output& print);

}  // namespace mobilenet_tvm
