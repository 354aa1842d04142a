#pragma once

#include <string>
#include <vector>

#include "io/npy.h"
#include "package/manifest.h"
#include "run/session.h"

namespace mobilenet_tvm {

/// An input and ONNX Runtime's output for it, out of reference.npz.
struct ReferencePair {
  FloatArray input;
  FloatArray output;
};

/// How far a package's numbers are from its reference, over all pairs.
struct SelfTest {
  double max_abs_err = 0;
  double output_range = 0;  ///< largest less smallest value of all reference outputs
  double relative_err = 0;  ///< max_abs_err / output_range
  bool top1_agrees = true;
  bool top5_agrees = true;  ///< as sets
  bool passed = false;
};

/// Reads x0, y0, x1, y1, ... out of the bytes of reference.npz; shapes must be the manifest's. Throws UserError.
std::vector<ReferencePair> ReadReference(std::string_view bytes, const Manifest& manifest);

/// Compares outputs, one array per pair, with the references.
SelfTest CompareWithReference(const std::vector<ReferencePair>& references,
                              const std::vector<FloatArray>& outputs, double tolerance);

/// The input of every pair through the network, compared.
SelfTest RunSelfTest(Session& session, const std::vector<ReferencePair>& references,
                     double tolerance);

}  // namespace mobilenet_tvm
