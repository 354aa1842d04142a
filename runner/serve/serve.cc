#include "serve/serve.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <thread>

#include "cpu/machine.h"
#include "error.h"
#include "run/tvm_call.h"
#include "serve/board_functions.h"
#include "serve/socket.h"
#include "serve/tracker.h"

namespace mobilenet_tvm {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Of TVM's RPC: what a connection begins with, and the answers to it.
constexpr std::int32_t kMagic = 0xFF271;
constexpr std::int32_t kWelcome = kMagic;
constexpr std::int32_t kMismatch = kMagic + 2;

constexpr int kPollMilliseconds = 2000;
// A client that got this board from the tracker comes at once, or never.
constexpr int kPollsWithoutClient = 3;
constexpr int kGreetingSeconds = 10;
constexpr auto kRetry = std::chrono::seconds(5);
constexpr auto kWatch = std::chrono::milliseconds(20);
constexpr const char* kEmulatedSuffix = "-emulated";

void Say(const std::string& text) {
  std::printf("mobilenet-run: %s\n", text.c_str());
  std::fflush(stdout);
}

void Warn(const std::string& text) {
  std::fprintf(stderr, "mobilenet-run: warning: %s\n", text.c_str());
}

/// A folder for one session's files, which goes with it.
class SessionFolder {
 public:
  SessionFolder() {
    std::string name = (fs::temp_directory_path() / "mobilenet-run-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw SystemError("cannot make a folder in " + fs::temp_directory_path().string());
    }
    path_ = name;
  }
  ~SessionFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  SessionFolder(const SessionFolder&) = delete;
  SessionFolder& operator=(const SessionFolder&) = delete;

  const fs::path& Path() const { return path_; }

 private:
  fs::path path_;
};

struct Client {
  Socket socket;
  /// How long its session may last; 0: as long as it likes.
  double timeout_seconds = 0;
};

/// Who connects and knows the word that the tracker gave out; nobody where it does not.
std::optional<Client> Greet(Socket socket, const std::string& key, const std::string& word) {
  socket.SetTimeout(kGreetingSeconds);
  if (socket.ReadInt() != kMagic) {
    return std::nullopt;
  }
  std::istringstream greeting(socket.ReadText());
  std::string name;
  greeting >> name;
  if (name != "client:" + word) {
    socket.WriteInt(kMismatch);
    return std::nullopt;
  }
  Client client;
  const std::string timeout = "-timeout=";
  for (std::string option; greeting >> option;) {
    if (option.rfind(timeout, 0) == 0) {
      client.timeout_seconds = std::strtod(option.c_str() + timeout.size(), nullptr);
    }
  }
  socket.WriteInt(kWelcome);
  socket.WriteText("server:" + key);
  socket.SetTimeout(0);
  client.socket = std::move(socket);
  return client;
}

/// Waits for a client that the tracker sends. Throws SystemError when the tracker is gone.
Client Await(const Socket& listener, const Tracker& tracker, const std::string& key) {
  std::string word = tracker.Offer();
  int taken = 0;
  while (true) {
    if (!listener.IsReadable(kPollMilliseconds)) {
      taken = tracker.IsOffered(word) ? 0 : taken + 1;
      if (taken > kPollsWithoutClient) {
        word = tracker.Offer();
        taken = 0;
      }
      continue;
    }
    try {
      if (auto client = Greet(listener.Accept(), key, word)) {
        return std::move(*client);
      }
    } catch (const SystemError&) {
      continue;  // a port scanner, or a client that changed its mind
    }
  }
}

/// A session's process: everything that its client uploads and calls, crashes included, stays in it.
[[noreturn]] void RunSession(const Client& client, const fs::path& folder,
                             const std::function<void()>& prepare) {
  int code = 0;
  try {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prepare();
    fs::current_path(folder);
    RegisterBoardFunctions(folder);
    CallTvm(RegisteredInTvm("rpc.ServerLoop"), client.socket.Descriptor());
  } catch (const std::exception& error) {
    Warn(error.what());
    code = kExitSystem;
  }
  std::_Exit(code);
}

void ServeClient(const Client& client, const std::function<void()>& prepare) {
  const SessionFolder folder;
  const auto begin = Clock::now();
  const pid_t session = fork();
  if (session < 0) {
    throw SystemError("no process for the session");
  }
  if (session == 0) {
    RunSession(client, folder.Path(), prepare);
  }
  int status = 0;
  while (waitpid(session, &status, WNOHANG) == 0) {
    const std::chrono::duration<double> lasted = Clock::now() - begin;
    if (client.timeout_seconds > 0 && lasted.count() > client.timeout_seconds) {
      kill(session, SIGKILL);
      waitpid(session, &status, 0);
      Warn("a session took longer than its client allowed and was ended");
      return;
    }
    std::this_thread::sleep_for(kWatch);
  }
  if (WIFSIGNALED(status)) {
    Warn("a session was ended by signal " + std::to_string(WTERMSIG(status)));
  }
}

void WarnOfStrangers(const ServeOptions& options) {
  for (const Address& address : {options.tracker, options.listen}) {
    if (!address.IsLoopback()) {
      Warn(address.Text() +
           " is not on this machine alone: whoever reaches it may run any code here (use ssh -L, "
           "-R)");
    }
  }
}

}  // namespace

void Serve(const ServeOptions& options, const std::string& target,
           const std::function<void()>& prepare) {
  std::string key = options.key.empty() ? target : options.key;
  // Whoever asks the tracker for boards must not take an emulator's times for theirs.
  if (IsEmulated() && key.find("emulated") == std::string::npos) {
    key += kEmulatedSuffix;
  }
  WarnOfStrangers(options);
  const Socket listener = Socket::Listen(options.listen);
  std::optional<Tracker> tracker;
  bool complained = false;
  while (true) {
    try {
      if (!tracker) {
        tracker.emplace(options.tracker, key, listener.Port());
        complained = false;
        Say("serves as " + key + " on port " + std::to_string(listener.Port()) + ", tracker " +
            options.tracker.Text());
      }
      ServeClient(Await(listener, *tracker, key), prepare);
    } catch (const UserError&) {  // no address: asking again would not help
      throw;
    } catch (const std::exception& error) {
      tracker.reset();
      if (!complained) {
        Warn(std::string(error.what()) + "; trying again every 5 seconds");
        complained = true;
      }
      std::this_thread::sleep_for(kRetry);
    }
  }
}

}  // namespace mobilenet_tvm
