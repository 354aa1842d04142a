#include "run/self_test.h"

#include <limits>

#include "check.h"

using mobilenet_tvm::CompareWithReference;
using mobilenet_tvm::FloatArray;

namespace {

FloatArray Scores(std::vector<float> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return {{1, count}, std::move(values)};
}

const FloatArray kExpected = Scores({0, 1, 2, 3, 4, 5, 10});

mobilenet_tvm::SelfTest Compare(const FloatArray& actual) {
  return CompareWithReference({{Scores({0}), kExpected}}, {actual}, 1e-4);
}

}  // namespace

TEST(equal_passes) {
  const auto result = Compare(kExpected);
  CHECK(result.passed);
  CHECK_EQ(result.max_abs_err, 0.0);
  CHECK_EQ(result.output_range, 10.0);
}

TEST(the_tolerance_is_a_share_of_the_range) {
  CHECK(Compare(Scores({0.0009F, 1, 2, 3, 4, 5, 10})).passed);
  const auto wrong = Compare(Scores({0.0011F, 1, 2, 3, 4, 5, 10}));
  CHECK(!wrong.passed);
  CHECK(wrong.top5_agrees);
}

TEST(with_a_wide_tolerance_the_first_class_decides) {
  const FloatArray close =
      Scores({1.01F, 1, 2, 3, 4, 5, 10});  // another fifth class, 10 % of the range away
  const auto compare = [&](double tolerance) {
    return CompareWithReference({{Scores({0}), kExpected}}, {close}, tolerance);
  };
  CHECK(compare(0.2).passed);
  CHECK(!compare(0.01).passed);
  const auto swapped =
      CompareWithReference({{Scores({0}), kExpected}}, {Scores({0, 1, 2, 3, 4, 10.1F, 10})}, 0.6);
  CHECK(!swapped.top1_agrees);
  CHECK(!swapped.passed);
}

TEST(another_order_is_seen) {
  CHECK(!Compare(Scores({11, 1, 2, 3, 4, 5, 10})).top1_agrees);
  CHECK(!Compare(Scores({11, 1, 2, 3, 4, 5, 10})).top5_agrees);
}

TEST(nonsense_fails) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(!Compare(Scores({nan, 1, 2, 3, 4, 5, 10})).passed);
  CHECK(!Compare(Scores({0, 1})).passed);
  // A reference without any range proves nothing unless it is met exactly.
  const auto flat =
      CompareWithReference({{Scores({0}), Scores({1, 1})}}, {Scores({1, 1.5F})}, 1e-4);
  CHECK(!flat.passed);
}
