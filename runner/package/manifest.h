#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/array.h"
#include "io/preprocess.h"

namespace mobilenet_tvm {

inline constexpr int kManifestSchema = 1;

struct TensorSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  const Dtype* dtype;
  double step =
      0;  ///< of a quantised network's output: how far off its values may be; 0 where it is not said
};

/// What a GPU's package says of its device code.
struct DeviceCode {
  int compute_capability;  ///< 80 is 8.0
  std::string
      driver;  ///< the least: a branch as "580", or a release that brings one; empty where it is not said
};

/// The parts of manifest.json that running a package needs.
struct Manifest {
  std::string model;
  std::string target;
  std::string arch;
  std::vector<std::string> cpu_features;
  int threads = 1;
  std::optional<DeviceCode> device_code;  ///< nothing for a CPU's package
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  std::optional<Preprocessing> preprocessing;
  std::vector<std::string> labels;  ///< empty where the package has none
  double tolerance = 0;             ///< largest error / output range of the self-test
  std::vector<std::pair<std::string, std::string>> files;  ///< path in the package, sha256
};

/// Reads the text of a manifest. The schema is looked at first, so a manifest of a newer one is called that and not
/// broken. Throws UserError.
Manifest ParseManifest(std::string_view text);

/// Throws UserError unless the manifest lists the files, so that their checksums were compared.
void RequireListed(const Manifest& manifest, std::initializer_list<const char*> names);

/// Whether the first output is read as classes' scores: `[N, C]` of float32, with more than five classes or with names.
bool ScoresClasses(const Manifest& manifest);

/// Class `id`'s name, or "class 17" where the package has no names.
std::string LabelOf(const Manifest& manifest, std::size_t id);

}  // namespace mobilenet_tvm
