#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cpu/peak.h"
#include "io/array.h"
#include "package/manifest.h"
#include "run/gpu.h"
#include "run/latency.h"
#include "run/self_test.h"
#include "run/session.h"
#include "run/top_k.h"

namespace mobilenet_tvm {

/// What a report says about the run as a whole.
struct RunInfo {
  std::string package;
  int threads;
  std::optional<Gpu> gpu;  ///< nothing for a CPU's package
};

/// Where the time goes: medians over the runs, in milliseconds.
struct Profile {
  Latency whole;                  ///< of runs that were not instrumented
  std::vector<KernelCall> calls;  ///< in the order of execution
  std::vector<Peak> peaks;        ///< of one core, float32's first; none for a GPU's package
};

/// One inference, or one row of a batch that scores classes.
struct Inferred {
  std::string image;
  std::vector<Ranked> top;     ///< empty where the network does not score classes
  std::vector<Array> outputs;  ///< empty but for a batch's first row
  Latency latency;
};

// Each returns text that ends with a newline, for people or as one line of JSON.
std::string InferredText(const Manifest& manifest, const RunInfo& info, const Inferred& result);
std::string InferredJson(const Manifest& manifest, const RunInfo& info,
                         const std::vector<Inferred>& results, bool with_data);
std::string SelfTestText(const Manifest& manifest, const RunInfo& info, const SelfTest& result);
std::string SelfTestJson(const Manifest& manifest, const RunInfo& info, const SelfTest& result);
std::string BenchText(const Manifest& manifest, const RunInfo& info, const Latency& latency);
std::string BenchJson(const Manifest& manifest, const RunInfo& info,
                      const std::vector<double>& times);
std::string ProfileText(const Manifest& manifest, const RunInfo& info, const Profile& profile);
std::string ProfileJson(const Manifest& manifest, const RunInfo& info, const Profile& profile);

}  // namespace mobilenet_tvm
