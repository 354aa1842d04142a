#include "serve/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "error.h"

namespace mobilenet_tvm {
namespace {

// What a tracker or a client says before the session begins is short; more is not meant for us.
constexpr std::int32_t kMaxText = 1000000;

std::string Reason() { return std::strerror(errno); }

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

AddressList Resolve(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (code != 0 || found == nullptr) {
    throw UserError(address.Text() + " is no address: " + gai_strerror(code));
  }
  return {found, &freeaddrinfo};
}

/// The socket, if it is one: it sends at once and notices a peer whose plug was pulled.
Socket Prepared(Socket socket, const std::string& complaint) {
  if (socket.Descriptor() < 0) {
    throw SystemError(complaint + Reason());
  }
  const int yes = 1;
  setsockopt(socket.Descriptor(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  setsockopt(socket.Descriptor(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
  return socket;
}

Socket NewSocket() {
  return Prepared(Socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), "no socket: ");
}

}  // namespace

bool Address::IsLoopback() const { return host == "localhost" || host.rfind("127.", 0) == 0; }

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    Close();
    descriptor_ = other.Release();
  }
  return *this;
}

Socket Socket::Connect(const Address& address) {
  const AddressList found = Resolve(address);
  Socket socket = NewSocket();
  if (connect(socket.descriptor_, found->ai_addr, found->ai_addrlen) != 0) {
    throw SystemError(address.Text() + ": " + Reason());
  }
  return socket;
}

Socket Socket::Listen(const Address& address) {
  const AddressList found = Resolve(address);
  Socket socket = NewSocket();
  const int yes = 1;
  setsockopt(socket.descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(socket.descriptor_, found->ai_addr, found->ai_addrlen) != 0 ||
      listen(socket.descriptor_, SOMAXCONN) != 0) {
    throw UserError("cannot listen on " + address.Text() + ": " + Reason());
  }
  return socket;
}

int Socket::Port() const {
  sockaddr_in own{};
  socklen_t size = sizeof(own);
  if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&own), &size) != 0) {
    throw SystemError("no port: " + Reason());
  }
  return ntohs(own.sin_port);
}

Socket Socket::Accept() const {
  return Prepared(Socket(accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC)), "accept: ");
}

bool Socket::IsReadable(int milliseconds) const {
  pollfd one{descriptor_, POLLIN, 0};
  return poll(&one, 1, milliseconds) > 0;
}

void Socket::SetTimeout(int seconds) const {
  const timeval limit{seconds, 0};
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

void Socket::Write(const std::string& bytes) const {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) {
      throw SystemError("the connection broke: " + Reason());
    }
    sent += static_cast<std::size_t>(count);
  }
}

void Socket::WriteInt(std::int32_t value) const {
  std::array<char, sizeof(value)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof(value));
  Write({bytes.data(), bytes.size()});
}

void Socket::WriteText(const std::string& text) const {
  WriteInt(static_cast<std::int32_t>(text.size()));
  Write(text);
}

std::string Socket::Read(std::size_t size) const {
  std::string bytes(size, '\0');
  std::size_t received = 0;
  while (received < size) {
    const ssize_t count = recv(descriptor_, bytes.data() + received, size - received, 0);
    if (count <= 0) {
      throw SystemError("the connection broke" + (count < 0 ? ": " + Reason() : std::string()));
    }
    received += static_cast<std::size_t>(count);
  }
  return bytes;
}

std::int32_t Socket::ReadInt() const {
  std::int32_t value = 0;
  const std::string bytes = Read(sizeof(value));
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::string Socket::ReadText() const {
  const std::int32_t size = ReadInt();
  if (size < 0 || size > kMaxText) {
    throw SystemError("the other side does not speak TVM's RPC protocol");
  }
  return Read(static_cast<std::size_t>(size));
}

void Socket::Close() {
  if (descriptor_ >= 0) {
    close(descriptor_);
    descriptor_ = -1;
  }
}

int Socket::Release() {
  const int descriptor = descriptor_;
  descriptor_ = -1;
  return descriptor;
}

}  // namespace mobilenet_tvm
