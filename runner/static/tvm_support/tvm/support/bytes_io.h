#pragma once

#include <tvm/ffi/error.h>
#include <tvm/ffi/string.h>
#include <tvm/support/io.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace tvm {
namespace support {

/// Reads bytes that live longer than the stream.
class BytesInStream : public Stream {
 public:
  using Stream::Read;
  using Stream::Write;
  explicit BytesInStream(const std::string& bytes) : at_(bytes.data()), left_(bytes.size()) {}
  explicit BytesInStream(const ffi::Bytes& bytes) : at_(bytes.data()), left_(bytes.size()) {}

  std::size_t Read(void* to, std::size_t size) override {
    const std::size_t count = std::min(size, left_);
    if (count > 0) {
      std::memcpy(to, at_, count);
    }
    at_ += count;
    left_ -= count;
    return count;
  }
  std::size_t Write(const void* /*from*/, std::size_t /*size*/) override {
    TVM_FFI_THROW(InternalError) << "this stream is for reading";
    TVM_FFI_UNREACHABLE();
  }

 private:
  const char* at_;
  std::size_t left_;
};

/// Appends to a string.
class BytesOutStream : public Stream {
 public:
  using Stream::Read;
  using Stream::Write;
  explicit BytesOutStream(std::string* bytes) : bytes_(bytes) {}

  std::size_t Read(void* /*to*/, std::size_t /*size*/) override {
    TVM_FFI_THROW(InternalError) << "this stream is for writing";
    TVM_FFI_UNREACHABLE();
  }
  std::size_t Write(const void* from, std::size_t size) override {
    bytes_->append(static_cast<const char*>(from), size);
    return size;
  }

 private:
  std::string* bytes_;
};

}  // namespace support
}  // namespace tvm
