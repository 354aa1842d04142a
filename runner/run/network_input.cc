#include "run/network_input.h"

#include <string_view>
#include <utility>

#include "error.h"
#include "io/file.h"
#include "io/image.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/preprocess.h"

namespace mobilenet_tvm {
namespace {

constexpr std::uintmax_t kMaxInputBytes = std::uintmax_t{2} << 30U;
constexpr std::string_view kZipBegins = "PK\x03\x04";

/// A batch is reported row by row where each row scores classes.
std::vector<std::string> RowNames(const Manifest& manifest, const std::string& name) {
  const TensorSpec& output = manifest.outputs.front();
  const std::int64_t batch = ScoresClasses(manifest) ? output.shape[0] : 1;
  std::vector<std::string> rows;
  rows.reserve(static_cast<std::size_t>(batch));
  for (std::int64_t row = 0; row < batch; ++row) {
    rows.push_back(batch == 1 ? name : name + "[" + std::to_string(row) + "]");
  }
  return rows;
}

Array ReadTensor(std::string_view bytes, const TensorSpec& spec, const std::string& source) {
  Array array = ParseNpy(bytes, source);
  if (array.shape != spec.shape) {
    throw UserError(source + ": is " + ShapeText(array.shape) + ", the network takes " +
                    ShapeText(spec.shape));
  }
  if (array.dtype != spec.dtype) {
    throw UserError(source + ": holds " + std::string(array.dtype->name) + ", the network takes " +
                    std::string(spec.dtype->name));
  }
  return array;
}

NetworkInput ReadOnlyTensor(std::string_view bytes, const Manifest& manifest,
                            const std::string& name) {
  if (manifest.inputs.size() != 1) {
    throw UserError(name + ": is one tensor, and the network takes a .npz with " +
                    DescribeInputs(manifest));
  }
  return {{ReadTensor(bytes, manifest.inputs.front(), name)}, RowNames(manifest, name)};
}

NetworkInput ReadTensors(std::string_view bytes, const Manifest& manifest,
                         const std::string& name) {
  auto members = ListNpz(bytes, name);
  NetworkInput input{{}, RowNames(manifest, name)};
  for (const TensorSpec& spec : manifest.inputs) {
    const auto member = members.find(spec.name + ".npy");
    if (member == members.end()) {
      throw UserError(name + ": has no array " + spec.name + "; the network takes " +
                      DescribeInputs(manifest));
    }
    input.tensors.push_back(ReadTensor(member->second, spec, name + "/" + spec.name));
    members.erase(member);
  }
  if (!members.empty()) {
    const std::string& stray = members.begin()->first;
    throw UserError(name + ": its " + stray + " is no input; the network takes " +
                    DescribeInputs(manifest));
  }
  return input;
}

// A network with a batch larger than one gets the image in every place, and its first row is reported.
NetworkInput ReadPicture(std::string_view bytes, const Manifest& manifest,
                         const std::string& name) {
  const Image image = DecodeImage(bytes, name);
  if (!manifest.preprocessing) {
    throw UserError(name +
                    ": the package does not say how an image becomes its input: give it a .npy or "
                    ".npz with " +
                    DescribeInputs(manifest));
  }
  const std::vector<float> tensor = Preprocess(image, *manifest.preprocessing, name);
  const std::vector<std::int64_t>& shape = manifest.inputs.front().shape;
  std::vector<float> values;
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    values.insert(values.end(), tensor.begin(), tensor.end());
  }
  return {{FloatArray(shape, values)}, {name}};
}

}  // namespace

NetworkInput ReadInput(const Manifest& manifest, const std::string& name) {
  const std::string bytes = ReadFile(name, name, kMaxInputBytes);
  if (IsNpy(bytes)) {
    return ReadOnlyTensor(bytes, manifest, name);
  }
  const bool is_zip = std::string_view(bytes).substr(0, kZipBegins.size()) == kZipBegins;
  return is_zip ? ReadTensors(bytes, manifest, name) : ReadPicture(bytes, manifest, name);
}

std::string DescribeInputs(const Manifest& manifest) {
  std::string text;
  for (const TensorSpec& spec : manifest.inputs) {
    text += (text.empty() ? "" : ", ") + spec.name + ": " + std::string(spec.dtype->name) + " " +
            ShapeText(spec.shape);
  }
  return text;
}

}  // namespace mobilenet_tvm
