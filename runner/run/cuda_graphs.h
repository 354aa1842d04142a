#pragma once

namespace mobilenet_tvm {

/// Puts a switch before TVM's function that captures and replays a network's CUDA graph; until it is turned, nothing
/// changes. TVM's CUDA runtime must be loaded, and no VM yet. Throws SystemError.
void WatchCudaGraphs();

/// Whether networks run as graphs, or kernel by kernel, as timing each needs.
void UseCudaGraphs(bool use);

}  // namespace mobilenet_tvm
