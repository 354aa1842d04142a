#include "run/self_test.h"

#include <cstring>
#include <limits>

#include "check.h"

using mobilenet_tvm::Array;
using mobilenet_tvm::CompareWithReference;
using mobilenet_tvm::Manifest;
using mobilenet_tvm::TensorSpec;

namespace {

constexpr double kTolerance = 1e-4;
const float kNan = std::numeric_limits<float>::quiet_NaN();
const float kInfinity = std::numeric_limits<float>::infinity();

Array Scores(const std::vector<float>& values) {
  return mobilenet_tvm::FloatArray({1, static_cast<std::int64_t>(values.size())}, values);
}

template <typename T>
Array Whole(const char* dtype, const std::vector<T>& values) {
  Array array{mobilenet_tvm::FindDtype(dtype), {static_cast<std::int64_t>(values.size())}, {}};
  array.bytes.resize(values.size() * sizeof(T));
  std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
  return array;
}

TensorSpec SpecOf(const Array& array, double step = 0) {
  return {"y", array.shape, array.dtype, step};
}

mobilenet_tvm::SelfTest Compare(const Array& actual, const Array& expected,
                                double tolerance = kTolerance, double step = 0) {
  Manifest manifest;
  manifest.tolerance = tolerance;
  manifest.outputs = {SpecOf(expected, step)};
  return CompareWithReference({{{}, {expected}}}, {{actual}}, manifest);
}

const Array kExpected = Scores({0, 1, 2, 3, 4, 5, 10});

}  // namespace

TEST(equal_passes) {
  const auto result = Compare(kExpected, kExpected);
  CHECK(result.passed);
  CHECK_EQ(result.outputs.at(0).max_abs_err, 0.0);
  CHECK_EQ(result.outputs.at(0).output_range, 10.0);
}

TEST(the_tolerance_is_a_share_of_the_range) {
  CHECK(Compare(Scores({0.0009F, 1, 2, 3, 4, 5, 10}), kExpected).passed);
  const auto wrong = Compare(Scores({0.0011F, 1, 2, 3, 4, 5, 10}), kExpected);
  CHECK(!wrong.passed);
  CHECK(wrong.top5_agrees);
}

TEST(with_a_wide_tolerance_the_first_class_decides) {
  // Another fifth class, 10 % of the range away.
  const Array close = Scores({1.01F, 1, 2, 3, 4, 5, 10});
  CHECK(Compare(close, kExpected, 0.2).passed);
  CHECK(!Compare(close, kExpected, 0.01).passed);
  // Each score within 0.3 of the range, and their order another one.
  const auto swapped = Compare(Scores({0, 1, 2, 3, 4, 7.6F, 7.5F}), kExpected, 0.3);
  CHECK(swapped.outputs.at(0).passed);
  CHECK(!swapped.top1_agrees);
  CHECK(!swapped.passed);
}

TEST(ties_within_the_tolerance_may_change_places) {
  const Array tied = Scores({0, 1, 2, 3, 4, 9.9999F, 10});
  const auto result = Compare(Scores({0, 1, 2, 3, 4, 10, 9.9999F}), tied);
  CHECK(result.top1_agrees);
  CHECK(result.passed);
}

TEST(another_order_is_seen) {
  CHECK(!Compare(Scores({11, 1, 2, 3, 4, 5, 10}), kExpected).top1_agrees);
  CHECK(!Compare(Scores({11, 1, 2, 3, 4, 5, 10}), kExpected).top5_agrees);
}

TEST(few_values_are_no_classes) {
  CHECK(Compare(Scores({1, 1.00001F, 0}), Scores({1.00001F, 1, 0})).top1_agrees);
}

TEST(nonsense_fails) {
  CHECK(!Compare(Scores({kNan, 1, 2, 3, 4, 5, 10}), kExpected).passed);
  CHECK_EQ(Compare(Scores({kNan, 1, 2, 3, 4, 5, 10}), kExpected).outputs.at(0).mismatches, 1U);
  CHECK(!Compare(Scores({0, 1}), kExpected).passed);
  // An output that is constant, or nearly so, is held to a tenth of its magnitude.
  CHECK(!Compare(Scores({1, 1.5F}), Scores({1, 1})).passed);
  CHECK(Compare(Scores({1, 1.000001F}), Scores({1, 1})).passed);
  CHECK(Compare(Scores({1, 1.000001F}), Scores({1, 1.000002F})).passed);
  CHECK(!Compare(Scores({0, 0.5F}), Scores({0, 0})).passed);
}

TEST(nan_and_infinity_are_right_where_the_reference_has_them) {
  const Array expected = Scores({kNan, kInfinity, -kInfinity, 0, 1});
  CHECK(Compare(expected, expected).passed);
  CHECK(!Compare(Scores({kNan, -kInfinity, -kInfinity, 0, 1}), expected).passed);
  CHECK(!Compare(Scores({kInfinity, kInfinity, -kInfinity, 0, 1}), expected).passed);
  CHECK(!Compare(Scores({0, kInfinity, -kInfinity, 0, 1}), expected).passed);
}

TEST(whole_numbers_are_equal_or_a_step_apart) {
  // Two neighbours that no double tells apart.
  const std::int64_t large = (std::int64_t{1} << 60) + 1;
  CHECK(
      Compare(Whole<std::int64_t>("int64", {large}), Whole<std::int64_t>("int64", {large})).passed);
  CHECK(!Compare(Whole<std::int64_t>("int64", {large - 1}), Whole<std::int64_t>("int64", {large}))
             .passed);
  const auto stepped = Whole<std::uint8_t>("uint8", {7, 9});
  CHECK(!Compare(Whole<std::uint8_t>("uint8", {8, 9}), stepped).passed);
  CHECK(Compare(Whole<std::uint8_t>("uint8", {8, 9}), stepped, kTolerance, 1).passed);
  CHECK(!Compare(Whole<std::uint8_t>("uint8", {9, 9}), stepped, kTolerance, 1).passed);
  CHECK(!Compare(Whole<std::uint8_t>("bool", {1}), Whole<std::uint8_t>("bool", {0})).passed);
}

TEST(a_quantised_output_may_be_a_step_off) {
  CHECK(!Compare(Scores({0, 1, 2.5F}), Scores({0, 1, 2})).passed);
  CHECK(Compare(Scores({0, 1, 2.5F}), Scores({0, 1, 2}), kTolerance, 0.5).passed);
  CHECK(!Compare(Scores({0, 1, 2.6F}), Scores({0, 1, 2}), kTolerance, 0.5).passed);
}

TEST(every_output_counts) {
  Manifest manifest;
  manifest.tolerance = kTolerance;
  const auto index = Whole<std::int64_t>("int64", {3});
  manifest.outputs = {SpecOf(index), SpecOf(kExpected)};
  const std::vector<mobilenet_tvm::ReferencePair> references = {{{}, {index, kExpected}}};
  CHECK(CompareWithReference(references, {{index, kExpected}}, manifest).passed);
  const auto wrong =
      CompareWithReference(references, {{index, Scores({1, 1, 2, 3, 4, 5, 10})}}, manifest);
  CHECK(!wrong.passed);
  CHECK_EQ(wrong.worst, 1U);
  CHECK_EQ(wrong.outputs.at(1).RelativeErr(), 0.1);
}
