#include "run/self_test.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "error.h"
#include "io/npy.h"
#include "io/npz.h"

namespace mobilenet_tvm {
namespace {

constexpr const char* kReferenceName = "reference.npz";
// With more, as float16 has, the first class decides, and not the first five.
constexpr double kExactTolerance = 1e-4;

using Members = std::map<std::string, std::string_view>;

std::string Key(char letter, std::size_t pair, std::size_t tensor) {
  const std::string first = letter + std::to_string(pair);
  return tensor == 0 ? first : first + "_" + std::to_string(tensor);
}

Array ReadMember(const Members& members, const std::string& name, const TensorSpec& spec) {
  const auto member = members.find(name + ".npy");
  if (member == members.end()) {
    throw UserError(std::string(kReferenceName) + ": has no " + name);
  }
  const std::string source = std::string(kReferenceName) + "/" + name;
  Array array = ParseNpy(member->second, source);
  if (array.shape != spec.shape) {
    throw UserError(source + ": is " + ShapeText(array.shape) + ", the manifest says " +
                    ShapeText(spec.shape));
  }
  if (array.dtype != spec.dtype) {
    throw UserError(source + ": is " + std::string(array.dtype->name) + ", the manifest says " +
                    std::string(spec.dtype->name));
  }
  return array;
}

std::vector<Array> ReadTensors(const Members& members, char letter, std::size_t pair,
                               const std::vector<TensorSpec>& specs) {
  // Packages of old carry the first output alone.
  const bool has_all = members.count(Key(letter, pair, 1) + ".npy") > 0;
  std::vector<Array> arrays;
  for (std::size_t i = 0; i < specs.size() && (i == 0 || has_all); ++i) {
    arrays.push_back(ReadMember(members, Key(letter, pair, i), specs[i]));
  }
  return arrays;
}

/// What is known of an output while its pairs are compared.
class Comparison {
 public:
  explicit Comparison(const TensorSpec& spec) : spec_(spec) {
    error_.name = spec.name;
    error_.dtype = spec.dtype;
  }

  void Add(const Array& actual, const Array& expected) {
    if (actual.shape != expected.shape || actual.dtype != expected.dtype) {
      error_.mismatches += std::max<std::size_t>(expected.Size(), 1);
      return;
    }
    for (std::size_t i = 0; i < expected.Size(); ++i) {
      AddValue(actual, expected, i);
    }
  }

  OutputError Result(double tolerance) {
    error_.output_range = high_ >= low_ ? high_ - low_ : 0.0;
    error_.passed = error_.mismatches == 0 && (!spec_.dtype->IsFloat() || IsClose(tolerance));
    return error_;
  }

 private:
  void AddValue(const Array& actual, const Array& expected, std::size_t i) {
    const double wanted = expected.At(i);
    const double value = actual.At(i);
    if (!std::isfinite(wanted) || !std::isfinite(value)) {
      const bool both_nan = std::isnan(wanted) && std::isnan(value);
      error_.mismatches += both_nan || wanted == value ? 0 : 1;
      return;
    }
    low_ = std::min(low_, wanted);
    high_ = std::max(high_, wanted);
    const double difference = std::fabs(value - wanted);
    error_.magnitude = std::max(error_.magnitude, std::fabs(wanted));
    error_.max_abs_err = std::max(error_.max_abs_err, difference);
    if (!spec_.dtype->IsFloat()) {
      const std::size_t bytes = spec_.dtype->bytes;
      const bool same =
          std::equal(actual.bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes),
                     actual.bytes.begin() + static_cast<std::ptrdiff_t>((i + 1) * bytes),
                     expected.bytes.begin() + static_cast<std::ptrdiff_t>(i * bytes));
      error_.mismatches += same || (spec_.step > 0 && difference <= spec_.step) ? 0 : 1;
    }
  }

  bool IsClose(double tolerance) const {
    const double step = spec_.step * (1 + kExactTolerance);  // a step of float32, as it is rounded
    return error_.RelativeErr() <= tolerance || (step > 0 && error_.max_abs_err <= step);
  }

  const TensorSpec& spec_;
  OutputError error_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

/// Scores of one row, best first; NaN comes last.
std::vector<std::size_t> Ranking(const Array& scores, std::size_t first, std::size_t classes) {
  std::vector<std::size_t> order(classes);
  for (std::size_t i = 0; i < classes; ++i) {
    order[i] = i;
  }
  const auto score = [&](std::size_t i) {
    const double value = scores.At(first + i);
    return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return score(a) > score(b); });
  return order;
}

/// Whether the first `count` classes are the reference's, but for those that score as well within `slack`.
bool TopAgrees(const Array& actual, const Array& expected, std::size_t count, double slack) {
  const auto rows = static_cast<std::size_t>(expected.shape[0]);
  const std::size_t classes = rows == 0 ? 0 : expected.Size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t first = row * classes;
    const auto ours = Ranking(actual, first, classes);
    const auto theirs = Ranking(expected, first, classes);
    const double least = expected.At(first + theirs[count - 1]) - slack;
    for (std::size_t place = 0; place < count; ++place) {
      if (std::find(theirs.begin(), theirs.begin() + static_cast<std::ptrdiff_t>(count),
                    ours[place]) == theirs.begin() + static_cast<std::ptrdiff_t>(count) &&
          !(expected.At(first + ours[place]) >= least)) {
        return false;
      }
    }
  }
  return true;
}

void CompareClasses(SelfTest& result, const std::vector<ReferencePair>& references,
                    const std::vector<std::vector<Array>>& outputs, double tolerance) {
  constexpr std::size_t kTop = 5;
  const double slack = tolerance * result.outputs.front().output_range;
  for (std::size_t i = 0; i < references.size(); ++i) {
    const Array& expected = references[i].outputs.front();
    const bool comparable = outputs[i].front().shape == expected.shape;
    const std::size_t five = std::min(kTop, static_cast<std::size_t>(expected.shape[1]));
    result.top1_agrees &= comparable && TopAgrees(outputs[i].front(), expected, 1, slack);
    result.top5_agrees &= comparable && TopAgrees(outputs[i].front(), expected, five, slack);
  }
}

std::size_t WorstOf(const std::vector<OutputError>& outputs) {
  std::size_t worst = 0;
  for (std::size_t i = 1; i < outputs.size(); ++i) {
    const bool is_first_float = !outputs[worst].dtype->IsFloat();
    if (outputs[i].dtype->IsFloat() &&
        (is_first_float || outputs[i].RelativeErr() > outputs[worst].RelativeErr())) {
      worst = i;
    }
  }
  return worst;
}

}  // namespace

double OutputError::RelativeErr() const {
  const double scale = std::max(output_range, magnitude / 10);
  return max_abs_err == 0 || scale == 0 ? max_abs_err : max_abs_err / scale;
}

std::vector<ReferencePair> ReadReference(std::string_view bytes, const Manifest& manifest) {
  const auto members = ListNpz(bytes, kReferenceName);
  std::vector<ReferencePair> pairs;
  do {
    const std::size_t pair = pairs.size();
    pairs.push_back({ReadTensors(members, 'x', pair, manifest.inputs),
                     ReadTensors(members, 'y', pair, manifest.outputs)});
  } while (members.count(Key('x', pairs.size(), 0) + ".npy") > 0);
  return pairs;
}

SelfTest CompareWithReference(const std::vector<ReferencePair>& references,
                              const std::vector<std::vector<Array>>& outputs,
                              const Manifest& manifest) {
  SelfTest result;
  const std::size_t count = references.front().outputs.size();
  for (std::size_t output = 0; output < count; ++output) {
    Comparison comparison(manifest.outputs[output]);
    for (std::size_t i = 0; i < references.size(); ++i) {
      comparison.Add(outputs[i].at(output), references[i].outputs.at(output));
    }
    result.outputs.push_back(comparison.Result(manifest.tolerance));
  }
  result.worst = WorstOf(result.outputs);
  if (ScoresClasses(manifest)) {
    CompareClasses(result, references, outputs, manifest.tolerance);
  }
  const bool all_passed = std::all_of(result.outputs.begin(), result.outputs.end(),
                                      [](const OutputError& error) { return error.passed; });
  const bool agrees =
      manifest.tolerance > kExactTolerance ? result.top1_agrees : result.top5_agrees;
  // A step of a quantised network is more than classes' scores may differ by.
  result.passed = all_passed && (agrees || manifest.outputs.front().step > 0);
  return result;
}

SelfTest RunSelfTest(Session& session, const std::vector<ReferencePair>& references,
                     const Manifest& manifest) {
  std::vector<std::vector<Array>> outputs;
  for (const ReferencePair& pair : references) {
    session.SetInputs(pair.inputs);
    session.Run();
    outputs.push_back(session.Outputs());
  }
  return CompareWithReference(references, outputs, manifest);
}

}  // namespace mobilenet_tvm
