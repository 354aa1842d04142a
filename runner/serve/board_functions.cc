#include "serve/board_functions.h"

#include <tvm/ffi/c_api.h>
#include <tvm/ffi/string.h>

#include <array>
#include <cstdlib>
#include <thread>
#include <type_traits>
#include <vector>

#include "commands.h"
#include "cpu/cpu_features.h"
#include "cpu/machine.h"
#include "error.h"
#include "io/file.h"
#include "io/json.h"
#include "io/json_writer.h"
#include "options.h"
#include "run/tvm_call.h"

namespace mobilenet_tvm {
namespace {

namespace ffi = tvm::ffi;

// TVM's functions are C: they find it here.
std::filesystem::path& Folder() {
  static std::filesystem::path folder;
  return folder;
}

std::filesystem::path FileOf(const std::string& name) {
  std::filesystem::path path = (Folder() / name).lexically_normal();
  const std::string relative = path.lexically_relative(Folder()).string();
  if (relative.empty() || relative.rfind("..", 0) == 0) {
    throw UserError("\"" + name + "\" leaves the session's folder");
  }
  std::filesystem::create_directories(path.parent_path());
  return path;
}

std::string RunHere(const std::string& request) {
  std::string output;
  std::string complaint;
  int code = 0;
  try {
    std::vector<std::string> words = Json::Parse(request, "the request").Strings();
    if (words.empty()) {
      throw UserError("no package given");
    }
    words.front() = FileOf(words.front()).string();
    code = RunCommand(ParseOptions(words), [&output](const std::string& text) { output += text; });
  } catch (const UserError& error) {
    complaint = error.what();
    code = kExitUser;
  } catch (const std::exception& error) {
    complaint = error.what();
    code = kExitSystem;
  }
  JsonWriter json;
  json.BeginObject().Key("code").Integer(code);
  json.Key("output").String(output).Key("error").String(complaint);
  return json.EndObject().Text();
}

ffi::Any WorkPath(const std::string& name) { return ffi::String(FileOf(name).string()); }

ffi::Any LoadModule(const std::string& name) {
  return CallTvm(RegisteredInTvm("ffi.ModuleLoadFromFile"), ffi::String(FileOf(name).string()));
}

ffi::Any Describe() { return ffi::String(DescribeBoard()); }

ffi::Any RunPackage(const std::string& request) { return ffi::String(RunHere(request)); }

std::string TextOf(const TVMFFIAny* arguments, std::int32_t count) {
  const auto* views = reinterpret_cast<const ffi::AnyView*>(arguments);
  const auto text = count > 0 ? views[0].try_cast<ffi::String>() : std::nullopt;
  if (!text) {
    throw UserError("a text is needed");
  }
  return {text->data(), text->size()};
}

// One of them as TVM calls it: an exception of ours must not pass through TVM's code.
template <auto Function>
int Answer(void* /*self*/, const TVMFFIAny* arguments, std::int32_t count, TVMFFIAny* result) {
  try {
    if constexpr (std::is_invocable_v<decltype(Function)>) {
      *reinterpret_cast<ffi::Any*>(result) = Function();
    } else {
      *reinterpret_cast<ffi::Any*>(result) = Function(TextOf(arguments, count));
    }
    return 0;
  } catch (const std::exception& error) {
    TVMFFIErrorSetRaisedFromCStr("RuntimeError", error.what());
    return -1;
  }
}

void Register(const std::string& name, TVMFFISafeCallType function) {
  TVMFFIObjectHandle handle = nullptr;
  const TVMFFIByteArray bytes{name.data(), name.size()};
  const bool made = TVMFFIFunctionCreate(nullptr, function, nullptr, &handle) == 0;
  if (!made || TVMFFIFunctionSetGlobal(&bytes, handle, /*allow_override=*/1) != 0) {
    throw SystemError("the TVM runtime in lib/ does not take the function " + name);
  }
  TVMFFIObjectDecRef(handle);
}

}  // namespace

std::string DescribeBoard() {
  JsonWriter json;
  json.BeginObject().Key("program").String("mobilenet-run " MOBILENET_TVM_VERSION);
  json.Key("arch").String(Architecture()).Key("cpu").String(BoardName());
  json.Key("emulated").Bool(IsEmulated());
  json.Key("cores").Integer(std::thread::hardware_concurrency());
  const std::string governor = ClockGovernor();
  json.Key("governor");
  if (governor.empty()) {
    json.Null();
  } else {
    json.String(governor);
  }
  std::array<double, 3> load{};
  json.Key("load_average").BeginArray();
  for (int i = 0, count = getloadavg(load.data(), load.size()); i < count; ++i) {
    json.Number(load.at(static_cast<std::size_t>(i)));
  }
  json.EndArray().Key("features").BeginArray();
  for (const std::string& name : KnownCpuFeatures()) {
    if (FindCpuFeature(name) == CpuFeature::kPresent) {
      json.String(name);
    }
  }
  return json.EndArray().EndObject().Text();
}

void RegisterBoardFunctions(const std::filesystem::path& folder) {
  Folder() = folder;
  Register("tvm.rpc.server.workpath", Answer<WorkPath>);
  Register("tvm.rpc.server.load_module", Answer<LoadModule>);
  Register("mobilenet_tvm.board", Answer<Describe>);
  Register("mobilenet_tvm.run", Answer<RunPackage>);
}

}  // namespace mobilenet_tvm
