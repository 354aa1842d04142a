#include "commands.h"

#include <optional>
#include <string>

#include "cpu/cpu_features.h"
#include "cpu/fma_peak.h"
#include "error.h"
#include "io/file.h"
#include "io/image.h"
#include "package/package.h"
#include "report.h"
#include "run/gpu.h"
#include "run/self_test.h"
#include "run/session.h"
#include "serve/serve.h"

namespace mobilenet_tvm {
namespace {

constexpr std::uintmax_t kMaxInputBytes = std::uintmax_t{2} << 30U;
// Runs before the first one that is timed: they fill TVM's memory pool, start its threads and raise the clock. A GPU
// takes tens of milliseconds to raise its own.
constexpr int kWarmUpRuns = 3;
constexpr double kGpuWarmUpMilliseconds = 100;

/// An input tensor and what its rows are called in the report.
struct NetworkInput {
  std::vector<float> values;
  std::vector<std::string> rows;
};

NetworkInput ReadTensor(std::string_view bytes, const Manifest& manifest, const std::string& name) {
  const TensorSpec& spec = manifest.inputs.front();
  FloatArray array = ParseNpy(bytes, name);
  if (array.shape != spec.shape) {
    throw UserError(name + ": is " + ShapeText(array.shape) + ", the network takes " +
                    ShapeText(spec.shape));
  }
  NetworkInput input{std::move(array.data), {}};
  const std::int64_t batch = spec.shape.empty() ? 1 : spec.shape[0];
  input.rows.reserve(static_cast<std::size_t>(batch));
  for (std::int64_t row = 0; row < batch; ++row) {
    input.rows.push_back(batch == 1 ? name : name + "[" + std::to_string(row) + "]");
  }
  return input;
}

// A network with a batch larger than one gets the image in every place, and its first row is reported.
NetworkInput ReadPicture(std::string_view bytes, const Manifest& manifest,
                         const std::string& name) {
  const Image image = DecodeImage(bytes, name);
  if (!manifest.preprocessing) {
    throw UserError(
        name + ": the package does not say how an image becomes its input: give it a .npy of " +
        ShapeText(manifest.inputs.front().shape));
  }
  const std::vector<float> tensor = Preprocess(image, *manifest.preprocessing, name);
  NetworkInput input{{}, {name}};
  for (std::int64_t i = 0; i < manifest.inputs.front().shape[0]; ++i) {
    input.values.insert(input.values.end(), tensor.begin(), tensor.end());
  }
  return input;
}

NetworkInput ReadInput(const Manifest& manifest, const std::string& name) {
  const std::string bytes = ReadFile(name, name, kMaxInputBytes);
  return IsNpy(bytes) ? ReadTensor(bytes, manifest, name) : ReadPicture(bytes, manifest, name);
}

std::optional<Gpu> LoadGpuOf(const Manifest& manifest) {
  return manifest.device_code ? std::optional<Gpu>(LoadGpu(*manifest.device_code)) : std::nullopt;
}

void WarmUp(Session& session, bool is_gpu) {
  double spent = 0;
  for (int i = 0; i < kWarmUpRuns || (is_gpu && spent < kGpuWarmUpMilliseconds); ++i) {
    spent += session.Run();
  }
}

std::vector<double> Measure(Session& session, int repeat, bool is_gpu) {
  if (repeat > 1) {
    WarmUp(session, is_gpu);
  }
  std::vector<double> times;
  times.reserve(static_cast<std::size_t>(repeat));
  for (int i = 0; i < repeat; ++i) {
    times.push_back(session.Run());
  }
  return times;
}

int Classify(const Options& options, const Package& package, const RunInfo& info,
             const Output& print) {
  const Manifest& manifest = package.manifest;
  // All inputs before the first run: a bad one must not show after half of the output.
  std::vector<NetworkInput> inputs;
  inputs.reserve(options.images.size());
  for (const std::string& name : options.images) {
    inputs.push_back(ReadInput(manifest, name));
  }
  Session session(package);
  std::vector<Classified> results;
  for (const NetworkInput& input : inputs) {
    session.SetInput(input.values);
    const Latency latency =
        Summarise(Measure(session, options.repeat.value_or(1), info.gpu.has_value()));
    const FloatArray output = session.Output();
    const auto batch = static_cast<std::size_t>(output.shape.empty() ? 1 : output.shape[0]);
    const std::size_t classes = batch == 0 ? 0 : output.data.size() / batch;
    for (std::size_t row = 0; row < input.rows.size() && row < batch; ++row) {
      auto top =
          TopK(output.data.data() + row * classes, classes, static_cast<std::size_t>(options.top));
      results.push_back({input.rows[row], std::move(top), latency});
    }
  }
  if (options.json) {
    print(ClassifiedJson(manifest, info, results));
  } else {
    for (const Classified& result : results) {
      print(ClassifiedText(manifest, info, result));
    }
  }
  return 0;
}

int Bench(const Options& options, const Package& package, const RunInfo& info,
          const ReferencePair& reference, const Output& print) {
  Session session(package);
  session.SetInput(reference.input.data);
  const std::vector<double> times = Measure(session, *options.repeat, info.gpu.has_value());
  print(options.json ? BenchJson(package.manifest, info, times)
                     : BenchText(package.manifest, info, Summarise(times)));
  return 0;
}

// Instrumented runs take turns with plain ones, so that both see the same clock and the same neighbours.
Profile MeasureProfile(Session& session, const Manifest& manifest, int repeat) {
  WarmUp(session, manifest.device_code.has_value());
  std::vector<double> whole;
  std::vector<std::vector<double>> times;
  Profile profile{};
  for (int i = 0; i < repeat; ++i) {
    whole.push_back(session.Run());
    profile.calls = session.RunInstrumented();
    times.resize(profile.calls.size());
    for (std::size_t call = 0; call < profile.calls.size(); ++call) {
      times[call].push_back(profile.calls[call].milliseconds);
    }
  }
  for (std::size_t call = 0; call < profile.calls.size(); ++call) {
    profile.calls[call].milliseconds = Summarise(times[call]).median;
  }
  profile.whole = Summarise(whole);
  if (!manifest.device_code) {
    profile.peak_gmacs = MeasureFmaPeak(manifest.cpu_features);
  }
  return profile;
}

int ShowProfile(const Options& options, const Package& package, const RunInfo& info,
                const ReferencePair& reference, const Output& print) {
  const Manifest& manifest = package.manifest;
  Session session(package);
  session.SetInput(reference.input.data);
  const Profile profile = MeasureProfile(session, manifest, *options.repeat);
  print(options.json ? ProfileJson(manifest, info, profile) : ProfileText(manifest, info, profile));
  return 0;
}

int CheckItself(const Options& options, const Package& package, const RunInfo& info,
                const std::vector<ReferencePair>& references, const Output& print) {
  Session session(package);
  const SelfTest result = RunSelfTest(session, references, package.manifest.tolerance);
  print(options.json ? SelfTestJson(package.manifest, info, result)
                     : SelfTestText(package.manifest, info, result));
  return result.passed ? 0 : kExitSystem;
}

}  // namespace

int RunCommand(const Options& options, const Output& print) {
  if (options.help) {
    print(HelpText(options.is_own_package));
    return 0;
  }
  if (options.version) {
    print("mobilenet-run " MOBILENET_TVM_VERSION " (" + std::string(Architecture()) +
          ")\nmanifest schema: " + std::to_string(kManifestSchema) +
          "\ncodecs: " + std::string(Codecs()) + "\n");
    return 0;
  }
  const Package package = OpenPackage(options.package);
  const Manifest& manifest = package.manifest;
  if (options.serve) {
    // In each client's process: CUDA does not survive a fork.
    Serve(*options.serve, manifest.target, [&manifest] { LoadGpuOf(manifest); });
  }
  if (manifest.inputs.size() != 1) {
    throw UserError("the network has " + std::to_string(manifest.inputs.size()) +
                    " inputs; mobilenet-run handles one");
  }
  const RunInfo info{options.package, options.threads.value_or(manifest.threads),
                     LoadGpuOf(manifest)};
  SetThreads(info.threads);
  if (!options.images.empty()) {
    return Classify(options, package, info, print);
  }
  const auto references = ReadReference(ReferenceOf(package), manifest);
  if (options.profile) {
    return ShowProfile(options, package, info, references.front(), print);
  }
  return options.self_test ? CheckItself(options, package, info, references, print)
                           : Bench(options, package, info, references.front(), print);
}

}  // namespace mobilenet_tvm
