#include "run/top_k.h"

#include <cmath>
#include <vector>

#include "check.h"

using mobilenet_tvm::TopK;

TEST(ranks_by_softmax) {
  const std::vector<float> scores = {1, 3, 2};
  const auto top = TopK(scores.data(), scores.size(), 2);
  CHECK_EQ(top.size(), 2U);
  CHECK_EQ(top[0].class_id, 1U);
  CHECK_EQ(top[1].class_id, 2U);
  const double total = std::exp(1) + std::exp(2) + std::exp(3);
  CHECK(std::fabs(top[0].probability - std::exp(3) / total) < 1e-12);
}

TEST(large_scores_do_not_overflow) {
  const std::vector<float> scores = {-1e30F, 1e30F};
  CHECK_EQ(TopK(scores.data(), 2, 1)[0].probability, 1.0);
}

TEST(ties_by_class_and_few_classes) {
  const std::vector<float> scores = {2, 2};
  const auto top = TopK(scores.data(), 2, 5);
  CHECK_EQ(top.size(), 2U);
  CHECK_EQ(top[0].class_id, 0U);
}

TEST(nan_is_an_error) {
  const std::vector<float> scores = {1, NAN};
  bool thrown = false;
  try {
    TopK(scores.data(), 2, 1);
  } catch (const mobilenet_tvm::SystemError&) {
    thrown = true;
  }
  CHECK(thrown);
}
