#include "machine/module.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "checks/failure.h"
#include "machine/device.h"
#include "package/sha256.h"

namespace emulated {
namespace {

constexpr uint32_t kFatbinMagic = 0xBA55ED50;

struct FatbinHeader {
  uint32_t magic;
  uint16_t version;
  uint16_t header_bytes;
  uint64_t bytes;  // behind the header
};

std::vector<std::pair<uintptr_t, uintptr_t>>& Images() {
  static auto* images = new std::vector<std::pair<uintptr_t, uintptr_t>>;
  return *images;
}

// The shared object for an image; empty if there is none.
std::string KernelsOf(const void* image) {
  const auto* text = static_cast<const char*>(image);
  if (std::strncmp(text, kNamedImage, sizeof kNamedImage) == 0) {
    return text + sizeof kNamedImage;
  }
  FatbinHeader header{};
  std::memcpy(&header, image, sizeof header);
  if (header.magic != kFatbinMagic) {
    Report("the module holds no fatbin");
    return "";
  }
  mobilenet_tvm::Sha256 hash;
  hash.Update({text, header.header_bytes + header.bytes});
  const std::string sum = hash.HexDigest();
  const auto& modules = TheDevice().modules;
  const auto found = modules.find(sum);
  if (found != modules.end()) {
    return found->second;
  }
  std::string known;
  for (const auto& [other, path] : modules) {
    known += " " + other;
  }
  Report("the module's device code has SHA-256 " + sum + ", and kernels are at hand for" +
         (known.empty() ? " none" : known) + ": its source is not the one in debug/kernels.cu");
  return "";
}

void NoteImage(const EmulatedKernel* kernels) {
  const auto note = [](dl_phdr_info* info, size_t, void* address) {
    uintptr_t begin = UINTPTR_MAX;
    uintptr_t end = 0;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const auto& part = info->dlpi_phdr[i];
      if (part.p_type != PT_LOAD) {
        continue;
      }
      begin = std::min<uintptr_t>(begin, info->dlpi_addr + part.p_vaddr);
      end = std::max<uintptr_t>(end, info->dlpi_addr + part.p_vaddr + part.p_memsz);
    }
    const auto wanted = reinterpret_cast<uintptr_t>(address);
    if (wanted >= begin && wanted < end) {
      Images().emplace_back(begin, end);
    }
    return 0;
  };
  dl_iterate_phdr(note, const_cast<EmulatedKernel*>(kernels));
}

}  // namespace

Module* LoadModule(const void* image) {
  const std::string path = KernelsOf(image);
  if (path.empty()) {
    return nullptr;
  }
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    Report(std::string("the compiled kernels do not load: ") + dlerror());
    return nullptr;
  }
  const auto* kernels = static_cast<const EmulatedKernel*>(dlsym(handle, "emulated_kernels"));
  const auto* count = static_cast<const uint32_t*>(dlsym(handle, "emulated_kernel_count"));
  if (kernels == nullptr || count == nullptr) {
    Report(path + " holds no kernels");
    return nullptr;
  }
  // mobilenet-run, which is told by this variable, says so itself.
  static bool told = std::getenv("MOBILENET_TVM_EMULATED_GPU") != nullptr;
  if (!std::exchange(told, true)) {
    std::fputs("source emulated, device code not executed\n", stderr);
  }
  NoteImage(kernels);
  return new Module{handle, kernels, *count};
}

Function* FindFunction(const Module& module, const std::string& name) {
  for (uint32_t i = 0; i < module.count; ++i) {
    if (name == module.kernels[i].name) {
      return new Function{&module.kernels[i]};
    }
  }
  Report("the source has no kernel " + name);
  return nullptr;
}

bool InKernelImage(uintptr_t address) {
  const auto holds = [address](const auto& image) {
    return address >= image.first && address < image.second;
  };
  return std::any_of(Images().begin(), Images().end(), holds);
}

}  // namespace emulated
