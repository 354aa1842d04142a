#pragma once

#include <string>
#include <vector>

#include "io/array.h"
#include "package/manifest.h"
#include "run/session.h"

namespace mobilenet_tvm {

/// The inputs of one inference and the outputs that are right, out of reference.npz, in the manifest's order.
struct ReferencePair {
  std::vector<Array> inputs;
  std::vector<Array> outputs;
};

/// How far one output is from the reference, over all pairs.
struct OutputError {
  std::string name;
  const Dtype* dtype = nullptr;
  double max_abs_err = 0;   ///< where both are finite
  double output_range = 0;  ///< largest less smallest of the reference's finite values
  double magnitude = 0;     ///< largest of their absolute values
  std::size_t mismatches =
      0;  ///< that no tolerance covers: NaN or infinity elsewhere, unequal whole numbers
  bool passed = false;

  /// The error as a share of the range, or of a tenth of the magnitude where that is more: of values that hardly differ
  /// float32 does not keep more.
  double RelativeErr() const;
};

/// How far a package's numbers are from its reference.
struct SelfTest {
  std::vector<OutputError> outputs;
  std::size_t worst =
      0;  ///< the floating-point output with the largest relative error, else the first output
  bool top1_agrees = true;  ///< of the first output, where it scores classes (`ScoresClasses`)
  bool top5_agrees =
      true;  ///< as sets; classes whose scores differ by less than the tolerance may change places
  bool passed = false;
};

/// Reads x0, x0_1, ..., y0, y0_1, ..., x1, ... out of the bytes of reference.npz; dtypes and shapes must be the
/// manifest's. Throws UserError.
std::vector<ReferencePair> ReadReference(std::string_view bytes, const Manifest& manifest);

/// Compares outputs, those of one inference per pair, with the references.
SelfTest CompareWithReference(const std::vector<ReferencePair>& references,
                              const std::vector<std::vector<Array>>& outputs,
                              const Manifest& manifest);

/// The inputs of every pair through the network, compared.
SelfTest RunSelfTest(Session& session, const std::vector<ReferencePair>& references,
                     const Manifest& manifest);

}  // namespace mobilenet_tvm
