#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "package/manifest.h"

namespace mobilenet_tvm {

/// A package that was found whole and fit for this machine: a folder, or what a static program carries.
struct Package {
  std::filesystem::path root;  ///< the folder, or the program
  Manifest manifest;
  std::map<std::string, std::string_view> members;  ///< what a static program carries, by name
};

// package.cc has these for folders, static/package_static.cc for a static program, which runs nothing but itself.

/// The package that this program itself is; nothing where packages are folders.
std::optional<std::string> OwnPackage();

/// Opens a package: manifest, architecture, CPU features and checksums, in this order. Nothing of it is loaded before
/// all are right. Throws UserError.
Package OpenPackage(const std::filesystem::path& root);

/// The content of reference.npz. Throws UserError.
std::string ReferenceOf(const Package& package);

/// The file that a path in a folder's manifest means. Throws UserError if it is absolute, goes up, leaves the folder
/// through a link, or is missing.
std::filesystem::path FileInPackage(const std::filesystem::path& root, const std::string& name);

}  // namespace mobilenet_tvm
