#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mobilenet_tvm {

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
  bool help = false;
  bool version = false;
};

/// Reads the arguments after the program's name. Throws UserError.
Options ParseOptions(const std::vector<std::string>& arguments);

/// What --help prints.
std::string_view HelpText();

}  // namespace mobilenet_tvm
