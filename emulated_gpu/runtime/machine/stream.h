// Streams, which run what they are given at once, and graphs of what a stream was given while it captured.
#pragma once
#include <cstddef>
#include <variant>
#include <vector>

#include "execution/launch.h"

namespace emulated {

struct MemoryCopy {
  void* to = nullptr;
  const void* from = nullptr;
  size_t bytes = 0;
};

using Work = std::variant<Launch, MemoryCopy>;

struct Graph {
  std::vector<Work> nodes;
};

struct Stream {
  Graph* capturing = nullptr;
};

// How many streams capture.
int Capturing();

// Runs the work, or notes it in the stream's graph (null: the default stream). False if it failed and was reported.
bool Submit(Stream* stream, Work work);

bool RunGraph(const Graph& graph);

void BeginCapture(Stream* stream);

// The graph, which is the caller's; null if the stream did not capture.
Graph* EndCapture(Stream* stream);

}  // namespace emulated
