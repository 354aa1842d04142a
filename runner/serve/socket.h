#pragma once

#include <cstdint>
#include <string>

namespace mobilenet_tvm {

/// A host and a port, as in "127.0.0.1:9190".
struct Address {
  std::string host;
  int port = 0;

  std::string Text() const { return host + ":" + std::to_string(port); }
  /// Whether only this machine can reach it.
  bool IsLoopback() const;
};

/// A TCP socket, closed with its owner. Every function throws SystemError where the other side is gone.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() { Close(); }
  Socket(Socket&& other) noexcept : descriptor_(other.Release()) {}
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// Throws SystemError if nobody listens there.
  static Socket Connect(const Address& address);
  /// Listens; port 0 means any free one. Throws UserError if the address is not this machine's, or taken.
  static Socket Listen(const Address& address);

  int Port() const;
  Socket Accept() const;
  /// Whether something arrives (for a listening socket: somebody) within so many milliseconds.
  bool IsReadable(int milliseconds) const;
  /// How long a read or write may wait for the other side, in seconds.
  void SetTimeout(int seconds) const;

  void Write(const std::string& bytes) const;
  void WriteInt(std::int32_t value) const;
  /// An int32 for the length, then the bytes.
  void WriteText(const std::string& text) const;
  std::string Read(std::size_t size) const;
  std::int32_t ReadInt() const;
  std::string ReadText() const;

  int Descriptor() const { return descriptor_; }
  void Close();

 private:
  int Release();

  int descriptor_ = -1;
};

}  // namespace mobilenet_tvm
