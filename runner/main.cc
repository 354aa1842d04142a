#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "commands.h"
#include "error.h"
#include "options.h"
#include "package/package.h"

namespace {

// One line, whatever a file's name or a library's message holds.
int Complain(std::string message, int code) {
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < ' ') {
      c = ' ';
    }
  }
  std::fprintf(stderr, "mobilenet-run: %s\n", message.c_str());
  return code;
}

void Print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw mobilenet_tvm::SystemError("cannot write to standard output");
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return mobilenet_tvm::RunCommand(
        mobilenet_tvm::ParseOptions(arguments, mobilenet_tvm::OwnPackage()), Print);
  } catch (const mobilenet_tvm::UserError& error) {
    return Complain(error.what(), mobilenet_tvm::kExitUser);
  } catch (const std::bad_alloc&) {
    return Complain("out of memory", mobilenet_tvm::kExitSystem);
  } catch (const std::exception& error) {
    return Complain(error.what(), mobilenet_tvm::kExitSystem);
  }
}
