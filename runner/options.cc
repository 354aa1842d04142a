#include "options.h"

#include <charconv>

#include "error.h"

namespace mobilenet_tvm {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxRepeat = 1000000;
constexpr int kMaxTop = 100000;

/// A whole number from `lowest` to `highest`, or nothing.
std::optional<int> ParseNumber(const std::string& text, int lowest, int highest) {
  int value = 0;
  const char* end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, value);
  const bool right = error == std::errc() && parsed == end && value >= lowest && value <= highest;
  return right ? std::optional<int>(value) : std::nullopt;
}

int ParsePort(const std::string& option, const std::string& text) {
  constexpr int kHighestPort = 65535;
  if (const auto port = ParseNumber(text, 0, kHighestPort)) {
    return *port;
  }
  throw UserError(option + ": \"" + text + "\" is no port");
}

/// "HOST:PORT", or "PORT" for this machine alone.
Address ParseAddress(const std::string& option, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return {"127.0.0.1", ParsePort(option, text)};
  }
  return {text.substr(0, colon), ParsePort(option, text.substr(colon + 1))};
}

/// "tracker://HOST:PORT/KEY"; the scheme and the key may be left out.
void ParseTracker(std::string text, ServeOptions& options) {
  const std::string scheme = "tracker://";
  if (text.rfind(scheme, 0) == 0) {
    text.erase(0, scheme.size());
  }
  const std::size_t slash = text.find('/');
  if (slash != std::string::npos) {
    options.key = text.substr(slash + 1);
    text.resize(slash);
  }
  options.tracker = ParseAddress("--serve", text);
  if (options.tracker.host.empty() || options.tracker.port == 0 ||
      options.key.find_first_of(" :/") != std::string::npos) {
    throw UserError("--serve takes a tracker's HOST:PORT, or tracker://HOST:PORT/KEY");
  }
}

/// Walks over the arguments; "--threads=4" and "--threads 4" are the same.
class Arguments {
 public:
  explicit Arguments(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  bool Next() {
    if (at_ >= arguments_.size()) {
      return false;
    }
    text_ = arguments_[at_++];
    inline_value_.reset();
    const std::size_t equals = text_.find('=');
    if (text_.substr(0, 2) == "--" && equals != std::string::npos) {
      inline_value_ = text_.substr(equals + 1);
      text_.resize(equals);
    }
    return true;
  }

  const std::string& Text() const { return text_; }

  int Count(int highest) {
    const std::string& value = Value("a number");
    if (const auto count = ParseNumber(value, 1, highest)) {
      return *count;
    }
    throw UserError(text_ + " takes a whole number from 1 to " + std::to_string(highest) +
                    ", not \"" + value + "\"");
  }

  const std::string& Value(const char* kind = "a value") {
    if (inline_value_) {
      return *inline_value_;
    }
    if (at_ >= arguments_.size()) {
      throw UserError(text_ + " takes " + kind);
    }
    return arguments_[at_++];
  }

  bool Flag() const {
    if (inline_value_) {
      throw UserError(text_ + " takes no value");
    }
    return true;
  }

 private:
  const std::vector<std::string>& arguments_;
  std::size_t at_ = 0;
  std::string text_;
  std::optional<std::string> inline_value_;
};

void CheckWhole(const Options& options) {
  if (options.package.empty()) {
    throw UserError("no package given: mobilenet-run PACKAGE IMAGE... (--help says more)");
  }
  if (options.serve) {
    if (options.self_test || options.profile || options.repeat || !options.images.empty()) {
      throw UserError("--serve takes neither images nor --self-test, --repeat, --profile");
    }
    return;
  }
  if (options.self_test && (!options.images.empty() || options.repeat)) {
    throw UserError("--self-test takes neither images nor --repeat");
  }
  if (options.profile && (options.self_test || !options.images.empty() || !options.repeat)) {
    throw UserError("--profile takes --repeat N, and neither images nor --self-test");
  }
  if ((options.data || !options.save.empty()) && options.images.empty()) {
    throw UserError("--save and --data take an image, a .npy or a .npz");
  }
  if (options.images.empty() && !options.self_test && !options.repeat) {
    throw UserError(
        "no image given: " + std::string(options.is_own_package ? "" : "mobilenet-run PACKAGE ") +
        "IMAGE..., or --self-test, or --repeat N");
  }
}

}  // namespace

Options ParseOptions(const std::vector<std::string>& arguments,
                     const std::optional<std::string>& own_package) {
  Options options;
  options.package = own_package.value_or("");
  options.is_own_package = own_package.has_value();
  Arguments walk(arguments);
  bool only_names = false;
  bool package_seen = options.is_own_package;
  std::optional<Address> listen;
  while (walk.Next()) {
    const std::string& text = walk.Text();
    if (only_names || text.empty() || text[0] != '-' || text == "-") {
      if (package_seen) {
        options.images.push_back(text);
      } else {
        options.package = text;
        package_seen = true;
      }
    } else if (text == "--") {
      only_names = true;
    } else if (text == "--threads") {
      options.threads = walk.Count(kMaxThreads);
    } else if (text == "--repeat") {
      options.repeat = walk.Count(kMaxRepeat);
    } else if (text == "--top") {
      options.top = walk.Count(kMaxTop);
    } else if (text == "--save") {
      options.save = walk.Value("a folder");
    } else if (text == "--data") {
      options.data = walk.Flag();
    } else if (text == "--json") {
      options.json = walk.Flag();
    } else if (text == "--self-test") {
      options.self_test = walk.Flag();
    } else if (text == "--profile") {
      options.profile = walk.Flag();
    } else if (text == "--serve") {
      ParseTracker(walk.Value(), options.serve.emplace());
    } else if (text == "--listen") {
      listen = ParseAddress("--listen", walk.Value());
    } else if (text == "--help" || text == "-h") {
      options.help = walk.Flag();
    } else if (text == "--version") {
      options.version = walk.Flag();
    } else {
      throw UserError("unknown option \"" + text + "\" (--help lists them)");
    }
  }
  if (listen) {
    if (!options.serve) {
      throw UserError("--listen goes with --serve");
    }
    options.serve->listen = *listen;
  }
  if (!options.help && !options.version) {
    CheckWhole(options);
  }
  return options;
}

std::string HelpText(bool is_own_package) {
  const std::string start = is_own_package ? "PROGRAM" : "mobilenet-run PACKAGE";
  return start + " IMAGE... [options]\n" + start + " --self-test [--json]\n" + start +
         " --repeat N [--profile] [--json]\n" +
         (is_own_package ? "" : start + " --serve HOST:PORT [--listen [HOST:]PORT]\n") + "\n" +
         (is_own_package ? "PROGRAM is this program: a network, TVM's runtime and mobilenet-run of "
                           "mobilenet-tvm."
                         : "Runs a package of mobilenet-tvm. PACKAGE is the unpacked folder.") +
         R"( An IMAGE is a PNG, JPEG or PPM file, which is resized,
cropped and normalised as the package says, or a .npy file with the network's input as it is; a network of several inputs
takes a .npz file that has each under its name.

  --threads N    how many threads to use (default: as many as the package was scheduled for)
  --repeat N     run N times and say how long it took; without an image: on the package's reference input
  --profile      with --repeat: how long each kernel took, and how many multiply-adds a core can do at most
  --top K        how many classes to print (default 5)
  --save FOLDER  write every output as NAME.npy into FOLDER, of several images into FOLDER/0, FOLDER/1, ...
  --data         with --json: the outputs' bytes too, in base64
  --self-test    compare the package's numbers with the reference it carries; exit code 1 if they differ
  --serve        offer this machine to a tracker of TVM's RPC, as tracker://HOST:PORT/KEY (default KEY: the package's
                 target). It runs whatever code a client sends: keep tracker and port to yourself, through ssh -L, -R
  --listen       where clients reach it (default 127.0.0.1:9090)
  --json         print JSON and nothing else
  --version      version and the image formats of this build
  --help         this text

Exit codes: 0, 2 (the package, an image or an option is wrong), 1 (anything else).
)";
}

}  // namespace mobilenet_tvm
