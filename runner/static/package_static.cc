#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "cpu/cpu_features.h"
#include "error.h"
#include "io/npz.h"
#include "package/package.h"
#include "package/sha256.h"

namespace mobilenet_tvm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSelf = "/proc/self/exe";
constexpr const char* kProgram =
    "mobilenet-run";  // what the manifest calls the bytes before the archive
constexpr std::size_t kLocalHeaderBytes = 30;  // of a zip's member, without its name

// The program's own file, for as long as it runs.
std::string_view MapSelf() {
  const int file = open(kSelf, O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  if (file < 0 || fstat(file, &status) != 0) {
    throw SystemError(std::string(kSelf) + ": cannot be read: " + std::strerror(errno));
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  const void* begin = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (begin == MAP_FAILED) {
    throw SystemError(std::string(kSelf) + ": cannot be mapped: " + std::strerror(errno));
  }
  return {static_cast<const char*>(begin), size};
}

[[noreturn]] void Cut(const fs::path& root) {
  throw UserError(root.string() + ": is cut or damaged: copy it again");
}

std::map<std::string, std::string_view> MembersOf(std::string_view self, const fs::path& root) {
  std::map<std::string, std::string_view> members;
  try {
    members = ListNpz(self, root.string());
  } catch (const UserError&) {
    Cut(root);
  }
  if (members.count("manifest.json") == 0) {
    Cut(root);
  }
  // The program ends where the first member's header begins.
  const auto first = std::min_element(
      members.begin(), members.end(),
      [](const auto& a, const auto& b) { return a.second.data() < b.second.data(); });
  const auto data = static_cast<std::size_t>(first->second.data() - self.data());
  members[kProgram] = self.substr(0, data - kLocalHeaderBytes - first->first.size());
  return members;
}

void CheckSums(const Package& package) {
  RequireListed(package.manifest, {kProgram, "module.bin", "reference.npz"});
  for (const auto& [name, expected] : package.manifest.files) {
    const auto member = package.members.find(name);
    if (member == package.members.end()) {
      throw UserError(name + ": is missing from the program");
    }
    Sha256 sum;
    sum.Update(member->second);
    if (sum.HexDigest() != expected) {
      throw UserError(name +
                      ": its checksum is not the one in manifest.json: the program is damaged");
    }
  }
}

}  // namespace

std::optional<std::string> OwnPackage() {
  std::error_code failure;
  const fs::path self = fs::read_symlink(kSelf, failure);
  if (failure) {
    throw SystemError(std::string(kSelf) + ": cannot be read: " + failure.message());
  }
  return self.string();
}

Package OpenPackage(const fs::path& root) {
  Package package{root, {}, MembersOf(MapSelf(), root)};
  package.manifest = ParseManifest(package.members.at("manifest.json"));
  RequireCpuFeatures(package.manifest.cpu_features);
  CheckSums(package);
  return package;
}

std::string ReferenceOf(const Package& package) {
  return std::string(package.members.at("reference.npz"));
}

}  // namespace mobilenet_tvm
