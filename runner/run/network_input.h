#pragma once

#include <string>
#include <vector>

#include "io/array.h"
#include "package/manifest.h"

namespace mobilenet_tvm {

/// What one inference is given, and what its rows are called in a report.
struct NetworkInput {
  std::vector<Array> tensors;
  std::vector<std::string> rows;
};

/// Reads a file that a network is run with: an image, a .npy of its only input, or a .npz that holds each of its inputs
/// under its name (numpy.savez). Throws UserError.
NetworkInput ReadInput(const Manifest& manifest, const std::string& name);

/// "data: float32 1x3x224x224", of all inputs.
std::string DescribeInputs(const Manifest& manifest);

}  // namespace mobilenet_tvm
