#pragma once

#include <filesystem>
#include <string>

#include "manifest.h"

namespace mobilenet_tvm {

/// A package that was found whole and fit for this machine.
struct Package {
  std::filesystem::path root;
  Manifest manifest;

  std::filesystem::path Module() const { return root / "module.so"; }
  std::filesystem::path Reference() const { return root / "reference.npz"; }
};

/// Opens a package's folder: manifest, architecture, CPU features and checksums, in this order. Nothing of it is
/// loaded before all are right. Throws UserError.
Package OpenPackage(const std::filesystem::path& folder);

/// The file that a path in a manifest means. Throws UserError if it is absolute, goes up, leaves the folder through
/// a link, or is missing.
std::filesystem::path FileInPackage(const std::filesystem::path& root, const std::string& name);

}  // namespace mobilenet_tvm
