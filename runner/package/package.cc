#include "package/package.h"

#include <algorithm>
#include <system_error>

#include "cpu/cpu_features.h"
#include "error.h"
#include "io/file.h"
#include "io/json_writer.h"
#include "package/sha256.h"

namespace mobilenet_tvm {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxManifestBytes = std::uintmax_t{64} << 20U;
constexpr std::uintmax_t kMaxReferenceBytes = std::uintmax_t{2} << 30U;

void CheckSums(const fs::path& root, const Manifest& manifest) {
  for (const auto& [name, expected] : manifest.files) {
    if (Sha256OfFile(FileInPackage(root, name), name) != expected) {
      throw UserError(name +
                      ": its checksum is not the one in manifest.json: the package is damaged");
    }
  }
  // Only what was checked is loaded.
  RequireListed(manifest, {"module.so", "reference.npz"});
}

}  // namespace

fs::path FileInPackage(const fs::path& root, const std::string& name) {
  const fs::path relative(name);
  const bool plain = !relative.empty() && relative.is_relative() &&
                     name.find('\0') == std::string::npos &&
                     std::none_of(relative.begin(), relative.end(),
                                  [](const fs::path& part) { return part == ".."; });
  if (!plain) {
    throw UserError("manifest.json: the file " + QuoteJson(name) + " is outside the package");
  }
  std::error_code failure;
  const fs::path whole = fs::canonical(root / relative, failure);
  if (failure || !fs::is_regular_file(whole, failure)) {
    throw UserError(name + ": is missing from the package");
  }
  // Links may point around inside the package, not out of it.
  const fs::path base = fs::canonical(root, failure);
  if (std::mismatch(base.begin(), base.end(), whole.begin(), whole.end()).first != base.end()) {
    throw UserError(name + ": is a link that leaves the package");
  }
  return whole;
}

std::optional<std::string> OwnPackage() { return std::nullopt; }

std::string ReferenceOf(const Package& package) {
  return ReadFile(package.root / "reference.npz", "reference.npz", kMaxReferenceBytes);
}

Package OpenPackage(const fs::path& root) {
  std::error_code failure;
  const fs::file_status status = fs::status(root, failure);
  if (!fs::exists(status)) {
    throw UserError(root.string() + ": there is no such package");
  }
  if (!fs::is_directory(status)) {
    throw UserError(root.string() +
                    ": is not a folder: a package that is an archive is unpacked first (tar xzf)");
  }
  if (!fs::exists(root / "manifest.json", failure)) {
    throw UserError(root.string() + ": is not a package: it has no manifest.json");
  }
  Package package{
      root,
      ParseManifest(ReadFile(root / "manifest.json", "manifest.json", kMaxManifestBytes)),
      {}};
  const Manifest& manifest = package.manifest;
  if (manifest.arch != Architecture()) {
    throw UserError("the package is for " + manifest.arch + ", this mobilenet-run is for " +
                    std::string(Architecture()));
  }
  RequireCpuFeatures(manifest.cpu_features);
  CheckSums(root, manifest);
  return package;
}

}  // namespace mobilenet_tvm
