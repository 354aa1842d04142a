// libcudart.so.13: streams, events and graphs. What a stream is given is done before the call returns.
#include <chrono>
#include <memory>

#include "api/cuda_api.h"
#include "checks/failure.h"
#include "machine/stream.h"

namespace {

using Clock = std::chrono::steady_clock;
using emulated::Graph;
using emulated::Stream;

struct Event {
  Clock::time_point time;
};

}  // namespace

// NOLINTBEGIN(readability-identifier-naming)
#pragma GCC visibility push(default)
extern "C" {

int cudaStreamCreate(Stream** stream) {
  *stream = new Stream;
  return emulated::kSuccess;
}

int cudaStreamCreateWithFlags(Stream** stream, unsigned /*flags*/) {
  return cudaStreamCreate(stream);
}

int cudaStreamDestroy(Stream* stream) {
  delete stream;
  return emulated::kSuccess;
}

int cudaStreamSynchronize(Stream* stream) {
  if (stream == nullptr || stream->capturing == nullptr) {
    return emulated::kSuccess;
  }
  emulated::Report("cudaStreamSynchronize of a stream that captures a graph");
  return emulated::SetError(emulated::kCaptureUnsupported);
}

int cudaStreamWaitEvent(Stream* /*stream*/, Event* /*event*/, unsigned /*flags*/) {
  return emulated::kSuccess;
}

int cudaEventCreate(Event** event) {
  *event = new Event;
  return emulated::kSuccess;
}

int cudaEventDestroy(Event* event) {
  delete event;
  return emulated::kSuccess;
}

int cudaEventRecord(Event* event, Stream* /*stream*/) {
  event->time = Clock::now();
  return emulated::kSuccess;
}

int cudaEventSynchronize(Event* /*event*/) { return emulated::kSuccess; }

// The emulator's time, which says nothing about a device's.
int cudaEventElapsedTime(float* milliseconds, const Event* start, const Event* end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
  return emulated::kSuccess;
}

int cudaStreamBeginCapture(Stream* stream, int /*mode*/) {
  if (stream == nullptr || stream->capturing != nullptr) {
    emulated::Report("this stream cannot begin to capture a graph");
    return emulated::SetError(emulated::kInvalidValue);
  }
  emulated::BeginCapture(stream);
  return emulated::kSuccess;
}

int cudaStreamEndCapture(Stream* stream, Graph** graph) {
  *graph = emulated::EndCapture(stream);
  return emulated::SetError(*graph != nullptr ? emulated::kSuccess : emulated::kInvalidValue);
}

int cudaGraphInstantiate(Graph** executable, const Graph* graph, unsigned long long /*flags*/) {
  *executable = new Graph(*graph);
  return emulated::kSuccess;
}

int cudaGraphLaunch(const Graph* executable, Stream* stream) {
  if (stream != nullptr && stream->capturing != nullptr) {
    emulated::Report("a graph launched within a graph is not known");
    return emulated::SetError(emulated::kNotSupported);
  }
  return emulated::SetError(emulated::RunGraph(*executable) ? emulated::kSuccess
                                                            : emulated::kLaunchFailed);
}

int cudaGraphDestroy(Graph* graph) {
  delete graph;
  return emulated::kSuccess;
}

int cudaGraphExecDestroy(Graph* executable) { return cudaGraphDestroy(executable); }

}  // extern "C"
#pragma GCC visibility pop
// NOLINTEND(readability-identifier-naming)
