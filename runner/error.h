#pragma once

#include <stdexcept>

namespace mobilenet_tvm {

/// What the user gave is wrong: a bad option, package or image. One line; the program ends with code 2.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Something that is not the user's fault went wrong. One line; the program ends with code 1.
class SystemError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline constexpr int kExitUser = 2;
inline constexpr int kExitSystem = 1;

}  // namespace mobilenet_tvm
