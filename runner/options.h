#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serve/socket.h"

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
  bool is_own_package = false;  ///< a static program runs the one that it carries
  std::vector<std::string> images;
  std::optional<int> threads;
  std::optional<int> repeat;
  int top = 5;
  std::string save;   ///< a folder for the outputs; empty: they are not written
  bool data = false;  ///< JSON has the outputs' bytes
  bool json = false;
  bool self_test = false;
  bool profile = false;
  std::optional<ServeOptions> serve;
  bool help = false;
  bool version = false;
};

/// Reads the arguments after the program's name; the first of them names the package, unless it is the program's
/// own. Throws UserError.
Options ParseOptions(const std::vector<std::string>& arguments,
                     const std::optional<std::string>& own_package = std::nullopt);

/// What --help prints.
std::string HelpText(bool is_own_package);

}  // namespace mobilenet_tvm
