#pragma once

#include <string>

#include "serve/socket.h"

namespace mobilenet_tvm {

/// A board's connection to a tracker of TVM's RPC (python -m tvm.exec.rpc_tracker), which hands boards out to clients.
class Tracker {
 public:
  /// Registers a board that listens on `port` under `key`. Throws SystemError if no tracker answers there.
  Tracker(const Address& address, std::string key, int port);

  /// Says that the board is free, and returns the word by which the next client will prove that the tracker sent it.
  std::string Offer() const;
  /// Whether the tracker still has the board to give; it has not once a client got it.
  bool IsOffered(const std::string& word) const;

 private:
  void Tell(const std::string& message) const;

  Socket socket_;
  std::string key_;
  int port_;
};

}  // namespace mobilenet_tvm
