#include "run/latency.h"

#include "check.h"

TEST(quantiles_as_numpy_has_them) {
  const auto one = mobilenet_tvm::Summarise({4.0});
  CHECK_EQ(one.min, 4.0);
  CHECK_EQ(one.median, 4.0);
  CHECK_EQ(one.p90, 4.0);
  const auto four = mobilenet_tvm::Summarise({4.0, 1.0, 3.0, 2.0});
  CHECK_EQ(four.min, 1.0);
  CHECK_EQ(four.median, 2.5);
  CHECK(four.p90 > 3.699 && four.p90 < 3.701);
  CHECK_EQ(four.runs, 4U);
}
