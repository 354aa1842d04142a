#pragma once

#include "bytes_io.h"

namespace tvm {
namespace support {

/// A tensor as JSON, which running a network has no use for: a static program refuses it.
class Base64Stream : public Stream {
 public:
  using Stream::Read;
  using Stream::Write;
  explicit Base64Stream(Stream* /*stream*/) {
    TVM_FFI_THROW(RuntimeError) << "a static program neither reads nor writes tensors as JSON";
  }
  void InitPosition() {}
  void Finish() {}
  std::size_t Read(void* /*to*/, std::size_t /*size*/) override { return 0; }
  std::size_t Write(const void* /*from*/, std::size_t /*size*/) override { return 0; }
};

using Base64InStream = Base64Stream;
using Base64OutStream = Base64Stream;

}  // namespace support
}  // namespace tvm
