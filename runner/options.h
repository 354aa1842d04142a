#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "socket.h"

namespace mobilenet_tvm {

/// Where to offer this machine as a board.
struct ServeOptions {
  Address tracker;
  /// Under which name; empty: the package's target.
  std::string key;
  Address listen{"127.0.0.1", 9090};
};

/// The command line.
struct Options {
  std::string package;
  std::vector<std::string> images;
  std::optional<int> threads;
  std::optional<int> repeat;
  int top = 5;
  bool json = false;
  bool self_test = false;
  bool profile = false;
  std::optional<ServeOptions> serve;
  bool help = false;
  bool version = false;
};

/// Reads the arguments after the program's name. Throws UserError.
Options ParseOptions(const std::vector<std::string>& arguments);

/// What --help prints.
std::string_view HelpText();

}  // namespace mobilenet_tvm
