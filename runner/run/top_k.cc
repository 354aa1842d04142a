#include "run/top_k.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "error.h"

namespace mobilenet_tvm {

std::vector<Ranked> TopK(const float* scores, std::size_t classes, std::size_t count) {
  if (std::any_of(scores, scores + classes, [](float score) { return std::isnan(score); })) {
    throw SystemError("the network's output is not a number (NaN)");
  }
  count = std::min(count, classes);
  std::vector<std::size_t> order(classes);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
                    });
  std::vector<Ranked> top;
  if (count == 0) {
    return top;
  }
  // exp of a difference to the best: cannot overflow.
  const double best = scores[order[0]];
  double total = 0.0;
  for (std::size_t i = 0; i < classes; ++i) {
    total += std::exp(static_cast<double>(scores[i]) - best);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const double weight = std::exp(static_cast<double>(scores[order[i]]) - best);
    top.push_back({order[i], weight / total});
  }
  return top;
}

}  // namespace mobilenet_tvm
