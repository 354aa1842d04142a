#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "io/array.h"
#include "package/manifest.h"

namespace mobilenet_tvm {

/// The outputs' names as names of files: what no file may be called becomes "_", and no two are alike.
std::vector<std::string> FileNames(const std::vector<TensorSpec>& outputs);

/// Writes each output as NAME.npy into a folder, which is made where there is none. Throws UserError.
void SaveOutputs(const std::filesystem::path& folder, const Manifest& manifest,
                 const std::vector<Array>& outputs);

}  // namespace mobilenet_tvm
