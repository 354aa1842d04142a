#include "commands.h"

#include <optional>
#include <string>

#include "cpu/cpu_features.h"
#include "cpu/peak.h"
#include "error.h"
#include "package/package.h"
#include "report.h"
#include "run/gpu.h"
#include "run/network_input.h"
#include "run/save_outputs.h"
#include "run/self_test.h"
#include "run/session.h"
#include "serve/serve.h"

namespace mobilenet_tvm {
namespace {

// Runs before the first one that is timed: they fill TVM's memory pool, start its threads and raise the clock. A GPU
// takes tens of milliseconds to raise its own.
constexpr int kWarmUpRuns = 3;
constexpr double kGpuWarmUpMilliseconds = 100;

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

/// One inference's outputs, row by row where rows score classes.
void AddResults(const Options& options, const Manifest& manifest, const NetworkInput& input,
                const Latency& latency, const std::vector<Array>& outputs,
                std::vector<Inferred>& results) {
  const Array& first = outputs.front();
  const bool scores_classes = ScoresClasses(manifest);
  const auto classes = static_cast<std::size_t>(scores_classes ? first.shape[1] : 0);
  const auto* const scores = reinterpret_cast<const float*>(first.bytes.data());
  for (std::size_t row = 0; row < input.rows.size(); ++row) {
    auto top = TopK(scores + row * classes, classes, static_cast<std::size_t>(options.top));
    results.push_back(
        {input.rows[row], std::move(top), row == 0 ? outputs : std::vector<Array>(), latency});
  }
}

int Infer(const Options& options, const Package& package, const RunInfo& info,
          const Output& print) {
  const Manifest& manifest = package.manifest;
  // All inputs before the first run: a bad one must not show after half of the output.
  std::vector<NetworkInput> inputs;
  inputs.reserve(options.images.size());
  for (const std::string& name : options.images) {
    inputs.push_back(ReadInput(manifest, name));
  }
  Session session(package);
  std::vector<Inferred> results;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    session.SetInputs(inputs[i].tensors);
    const Latency latency =
        Summarise(Measure(session, options.repeat.value_or(1), info.gpu.has_value()));
    const std::vector<Array> outputs = session.Outputs();
    AddResults(options, manifest, inputs[i], latency, outputs, results);
    if (!options.save.empty()) {
      const std::filesystem::path folder = options.save;
      SaveOutputs(inputs.size() == 1 ? folder : folder / std::to_string(i), manifest, outputs);
    }
  }
  if (options.json) {
    print(InferredJson(manifest, info, results, options.data));
  } else {
    for (const Inferred& result : results) {
      print(InferredText(manifest, info, result));
    }
  }
  return 0;
}

int Bench(const Options& options, const Package& package, const RunInfo& info,
          const ReferencePair& reference, const Output& print) {
  Session session(package);
  session.SetInputs(reference.inputs);
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
    profile.peaks = MeasurePeaks(manifest.cpu_features);
  }
  return profile;
}

int ShowProfile(const Options& options, const Package& package, const RunInfo& info,
                const ReferencePair& reference, const Output& print) {
  const Manifest& manifest = package.manifest;
  Session session(package);
  session.SetInputs(reference.inputs);
  const Profile profile = MeasureProfile(session, manifest, *options.repeat);
  print(options.json ? ProfileJson(manifest, info, profile) : ProfileText(manifest, info, profile));
  return 0;
}

int CheckItself(const Options& options, const Package& package, const RunInfo& info,
                const std::vector<ReferencePair>& references, const Output& print) {
  Session session(package);
  const SelfTest result = RunSelfTest(session, references, package.manifest);
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
  const RunInfo info{options.package, options.threads.value_or(manifest.threads),
                     LoadGpuOf(manifest)};
  SetThreads(info.threads);
  if (!options.images.empty()) {
    return Infer(options, package, info, print);
  }
  const auto references = ReadReference(ReferenceOf(package), manifest);
  if (options.profile) {
    return ShowProfile(options, package, info, references.front(), print);
  }
  return options.self_test ? CheckItself(options, package, info, references, print)
                           : Bench(options, package, info, references.front(), print);
}

}  // namespace mobilenet_tvm
