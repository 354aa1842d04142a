#include "error.h"
#include "serve/serve.h"

namespace mobilenet_tvm {

void Serve(const ServeOptions& /*options*/, const std::string& /*target*/,
           const std::function<void()>& /*prepare*/) {
  throw UserError(
      "a static program has no RPC server in it: take the mobilenet-run of a package that is a "
      "folder");
}

}  // namespace mobilenet_tvm
