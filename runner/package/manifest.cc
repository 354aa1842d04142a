#include "package/manifest.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "error.h"
#include "io/json.h"

namespace mobilenet_tvm {
namespace {

constexpr double kDefaultTolerance = 1e-4;
constexpr std::int64_t kMaxExtent = 16777216;
constexpr std::int64_t kMaxElements = 2147483648;
constexpr std::int64_t kMaxSide = 16384;
constexpr std::int64_t kMaxThreads = 1024;

void CheckSchema(const Json& root) {
  const std::int64_t schema = root.At("schema_version").Integer(0, INT64_MAX);
  if (schema > kManifestSchema) {
    throw UserError("manifest.json: has schema " + std::to_string(schema) +
                    ", this program reads " + std::to_string(kManifestSchema) +
                    ": use the mobilenet-run in the package's bin/");
  }
  if (schema < kManifestSchema) {
    throw UserError("manifest.json: has the unknown schema " + std::to_string(schema));
  }
}

std::vector<TensorSpec> ReadTensors(const Json& list) {
  std::vector<TensorSpec> tensors;
  for (const Json& item : list.Array()) {
    const std::string& dtype = item.At("dtype").String();
    TensorSpec tensor{item.At("name").String(), {}, FindDtype(dtype)};
    if (tensor.dtype == nullptr) {
      item.At("dtype").Fail("is " + dtype + ", which this program does not know");
    }
    if (const Json* step = item.Find("step")) {
      tensor.step = step->Number();
    }
    std::int64_t elements = 1;
    for (const Json& extent : item.At("shape").Array()) {
      tensor.shape.push_back(extent.Integer(0, kMaxExtent));
      elements *= tensor.shape.back();
      if (elements > kMaxElements) {
        item.At("shape").Fail("is too large");
      }
    }
    tensors.push_back(std::move(tensor));
  }
  if (tensors.empty()) {
    list.Fail("is empty");
  }
  return tensors;
}

std::array<float, 3> ReadTriple(const Json& list) {
  std::array<float, 3> triple{};
  if (list.Array().size() != triple.size()) {
    list.Fail("is not a list of 3 numbers");
  }
  for (std::size_t i = 0; i < triple.size(); ++i) {
    triple[i] = static_cast<float>(list.Array()[i].Number());
  }
  return triple;
}

Preprocessing ReadPreprocessing(const Json& node) {
  for (const auto& [key, known] :
       {std::pair{"interpolation", "bilinear"}, {"channel_order", "RGB"}}) {
    if (node.At(key).String() != known) {
      node.At(key).Fail("is " + node.At(key).String() + ", this program knows " + known);
    }
  }
  Preprocessing spec;
  spec.resize = static_cast<int>(node.At("resize").Integer(1, kMaxSide));
  spec.crop = static_cast<int>(node.At("crop").Integer(1, spec.resize));
  spec.mean = ReadTriple(node.At("mean"));
  spec.std = ReadTriple(node.At("std"));
  spec.scale = static_cast<float>(node.At("scale").Number());
  for (const float deviation : spec.std) {
    if (!(deviation > 0)) {
      node.At("std").Fail("is not positive");
    }
  }
  return spec;
}

DeviceCode ReadDeviceCode(const Json& node) {
  const std::string prefix = "sm_";
  const std::string& arch = node.At("arch").String();
  const char* const end = arch.data() + arch.size();
  DeviceCode code{0, {}};
  if (arch.compare(0, prefix.size(), prefix) != 0 ||
      std::from_chars(arch.data() + prefix.size(), end, code.compute_capability).ptr != end ||
      code.compute_capability <= 0) {
    node.At("arch").Fail("is " + arch + ", which is no NVIDIA GPU's architecture");
  }
  if (const Json* driver = node.Find("driver")) {
    code.driver = driver->String();
  }
  return code;
}

bool IsDigest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// The image must fill the input: [N, 3, crop, crop].
void CheckInput(const Manifest& manifest, const Json& node) {
  const std::vector<std::int64_t>& shape = manifest.inputs.front().shape;
  const int side = manifest.preprocessing->crop;
  const bool is_image =
      manifest.inputs.size() == 1 && manifest.inputs.front().dtype->name == "float32";
  if (!is_image || shape.size() != 4 || shape[1] != 3 || shape[2] != side || shape[3] != side) {
    node.Fail("makes 3x" + std::to_string(side) + "x" + std::to_string(side) +
              ", which is not what the inputs say");
  }
}

}  // namespace

Manifest ParseManifest(std::string_view text) {
  const Json root = Json::Parse(text, "manifest.json");
  CheckSchema(root);
  Manifest manifest;
  const Json& target = root.At("target");
  manifest.model = root.At("model").At("name").String();
  manifest.target = target.At("name").String();
  manifest.arch = target.At("arch").String();
  manifest.cpu_features = target.At("cpu_features").Strings();
  manifest.threads = static_cast<int>(root.At("threads").Integer(1, kMaxThreads));
  manifest.inputs = ReadTensors(root.At("inputs"));
  manifest.outputs = ReadTensors(root.At("outputs"));
  if (const Json* device_code = root.Find("device_code")) {
    manifest.device_code = ReadDeviceCode(*device_code);
  }
  if (const Json* preprocessing = root.Find("preprocessing")) {
    manifest.preprocessing = ReadPreprocessing(*preprocessing);
    CheckInput(manifest, *preprocessing);
  }
  if (const Json* labels = root.Find("labels")) {
    manifest.labels = labels->Strings();
  }
  const Json* tolerance = root.Find("tolerance");
  manifest.tolerance = tolerance == nullptr ? kDefaultTolerance : tolerance->Number();
  for (const auto& [path, digest] : root.At("files").Object()) {
    if (!IsDigest(digest.String())) {
      digest.Fail("is not a SHA-256");
    }
    manifest.files.emplace_back(path, digest.String());
  }
  return manifest;
}

void RequireListed(const Manifest& manifest, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::none_of(manifest.files.begin(), manifest.files.end(),
                     [&](const auto& file) { return file.first == name; })) {
      throw UserError(std::string("manifest.json: does not list ") + name + " among its files");
    }
  }
}

bool ScoresClasses(const Manifest& manifest) {
  constexpr std::int64_t kTop = 5;
  const TensorSpec& output = manifest.outputs.front();
  const bool is_row = output.dtype->name == "float32" && output.shape.size() == 2;
  return is_row && (output.shape[1] > kTop || (output.shape[1] > 1 && !manifest.labels.empty()));
}

std::string LabelOf(const Manifest& manifest, std::size_t id) {
  return id < manifest.labels.size() ? manifest.labels[id] : "class " + std::to_string(id);
}

}  // namespace mobilenet_tvm
