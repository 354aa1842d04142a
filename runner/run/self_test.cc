#include "run/self_test.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "error.h"
#include "io/npz.h"
#include "run/top_k.h"

namespace mobilenet_tvm {
namespace {

constexpr const char* kReferenceName = "reference.npz";

FloatArray ReadMember(const std::map<std::string, std::string_view>& members,
                      const std::string& name, const TensorSpec& spec) {
  const auto member = members.find(name + ".npy");
  if (member == members.end()) {
    throw UserError(std::string(kReferenceName) + ": has no " + name);
  }
  const std::string source = std::string(kReferenceName) + "/" + name;
  FloatArray array = ParseNpy(member->second, source);
  if (array.shape != spec.shape) {
    throw UserError(source + ": is " + ShapeText(array.shape) + ", the manifest says " +
                    ShapeText(spec.shape));
  }
  return array;
}

std::set<std::size_t> TopSet(const float* scores, std::size_t classes, std::size_t count) {
  std::set<std::size_t> ids;
  for (const Ranked& ranked : TopK(scores, classes, count)) {
    ids.insert(ranked.class_id);
  }
  return ids;
}

bool HasNan(const FloatArray& array) {
  return std::any_of(array.data.begin(), array.data.end(), [](float v) { return std::isnan(v); });
}

}  // namespace

std::vector<ReferencePair> ReadReference(std::string_view bytes, const Manifest& manifest) {
  const auto members = ListNpz(bytes, kReferenceName);
  std::vector<ReferencePair> pairs;
  do {
    const std::string index = std::to_string(pairs.size());
    pairs.push_back({ReadMember(members, "x" + index, manifest.inputs.front()),
                     ReadMember(members, "y" + index, manifest.outputs.front())});
  } while (members.count("x" + std::to_string(pairs.size()) + ".npy") > 0);
  return pairs;
}

// With less, as float16 has, classes that are close may change places.
constexpr double kExactTolerance = 1e-4;

SelfTest CompareWithReference(const std::vector<ReferencePair>& references,
                              const std::vector<FloatArray>& outputs, double tolerance) {
  SelfTest result;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (std::size_t i = 0; i < references.size(); ++i) {
    const FloatArray& expected = references[i].output;
    const FloatArray& actual = outputs[i];
    if (actual.shape != expected.shape || HasNan(actual) || HasNan(expected)) {
      result.max_abs_err = std::numeric_limits<double>::infinity();
      result.top1_agrees = false;
      result.top5_agrees = false;
      continue;
    }
    for (std::size_t j = 0; j < expected.data.size(); ++j) {
      const double wanted = expected.data[j];
      low = std::min(low, wanted);
      high = std::max(high, wanted);
      result.max_abs_err = std::max(result.max_abs_err, std::fabs(actual.data[j] - wanted));
    }
    const auto rows = static_cast<std::size_t>(expected.shape.empty() ? 1 : expected.shape[0]);
    const std::size_t classes = expected.data.size() / rows;
    for (std::size_t row = 0; row < rows; ++row) {
      const float* ours = actual.data.data() + row * classes;
      const float* theirs = expected.data.data() + row * classes;
      result.top1_agrees &= TopSet(ours, classes, 1) == TopSet(theirs, classes, 1);
      result.top5_agrees &= TopSet(ours, classes, 5) == TopSet(theirs, classes, 5);
    }
  }
  result.output_range = high >= low ? high - low : 0.0;
  result.relative_err = result.max_abs_err == 0 ? 0.0 : result.max_abs_err / result.output_range;
  const bool agrees = tolerance > kExactTolerance ? result.top1_agrees : result.top5_agrees;
  result.passed = result.relative_err <= tolerance && agrees;
  return result;
}

SelfTest RunSelfTest(Session& session, const std::vector<ReferencePair>& references,
                     double tolerance) {
  std::vector<FloatArray> outputs;
  for (const ReferencePair& pair : references) {
    session.SetInput(pair.input.data);
    session.Run();
    outputs.push_back(session.Output());
  }
  return CompareWithReference(references, outputs, tolerance);
}

}  // namespace mobilenet_tvm
