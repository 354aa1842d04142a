#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/array.h"
#include "package/package.h"

namespace mobilenet_tvm {

/// How many threads TVM's runtime is to use. Must be said before the first Session exists.
void SetThreads(int threads);

/// A call that the VM made while it ran the network.
struct KernelCall {
  std::string name;
  double milliseconds;
};

/// A package's loaded module: TVM's Relax VM on the CPU, or for a GPU's package on that, ready to run `main`. LoadGpu()
/// comes first then.
class Session {
 public:
  /// Loads the module. Throws UserError if it does not load as a Relax VM executable.
  explicit Session(const Package& package);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Copies the inputs of the next runs, in the manifest's order and of its dtypes and shapes. Throws SystemError.
  void SetInputs(const std::vector<Array>& inputs);

  /// Runs the network once and returns how long it took, in milliseconds; a GPU has finished then. Throws SystemError.
  double Run();

  /// Runs the network once and returns every call that the VM made, kernels and its own functions, in order, and how
  /// long each took; a GPU's kernels run one by one, without a graph. Throws SystemError.
  std::vector<KernelCall> RunInstrumented();

  /// All outputs of the last run. Throws SystemError if one is no dense tensor of a dtype that this program knows.
  std::vector<Array> Outputs() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mobilenet_tvm
