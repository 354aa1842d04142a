#include "checks/failure.h"

#include <cstdio>

namespace emulated {
namespace {
std::string& Message() {
  static auto* message = new std::string;
  return *message;
}
}  // namespace

void Report(const std::string& message) {
  Message() = "emulated GPU: " + message;
  std::fprintf(stderr, "%s\n", Message().c_str());
}

const std::string& LastMessage() { return Message(); }

}  // namespace emulated
