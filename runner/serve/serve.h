#pragma once

#include <functional>
#include <string>

#include "options.h"

namespace mobilenet_tvm {

/// Offers this machine to a tracker of TVM's RPC and serves its clients one after another, each in a process of its
/// own, until a signal ends it. `target` is the key where the options name none; `prepare` is called first in each
/// client's process. Throws UserError.
[[noreturn]] void Serve(const ServeOptions& options, const std::string& target,
                        const std::function<void()>& prepare);

}  // namespace mobilenet_tvm
