#pragma once

// TVM's wheel carries its runtime's sources without six headers that these include. Here and beside are ours, with as much as
// the sources of a static program use. What is written by TVM's compiler is read with them, so the bytes must be TVM's: plain
// values as they lie in memory (little-endian), a count of 64 bits before a text or a list.

#include <cstddef>

namespace tvm {
namespace support {

/// How a type is written to a Stream and read from one; serializer.h has those that TVM uses.
template <typename T, typename = void>
struct Serializer {
  static constexpr bool enabled = false;
};

/// Bytes in order. A class that overrides the two functions says `using Stream::Read; using Stream::Write;`.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Both return how many bytes it was.
  virtual std::size_t Read(void* to, std::size_t size) = 0;
  virtual std::size_t Write(const void* from, std::size_t size) = 0;

  template <typename T>
  void Write(const T& value) {
    static_assert(Serializer<T>::enabled);
    Serializer<T>::Write(this, value);
  }

  /// False at the stream's end.
  template <typename T>
  bool Read(T* value) {
    static_assert(Serializer<T>::enabled);
    return Serializer<T>::Read(this, value);
  }

  template <typename T>
  void WriteArray(const T* values, std::size_t count) {
    for (const T* value = values; value != values + count; ++value) {
      Write(*value);
    }
  }

  template <typename T>
  bool ReadArray(T* values, std::size_t count) {
    bool whole = true;
    for (T* value = values; whole && value != values + count; ++value) {
      whole = Read(value);
    }
    return whole;
  }
};

}  // namespace support
}  // namespace tvm
