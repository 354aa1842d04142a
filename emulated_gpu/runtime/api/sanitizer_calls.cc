// The runtime of the compiler's thread sanitizer, as far as kernels call it: once for each access to memory.
#include <string>

#include "checks/access.h"
#include "checks/shared_races.h"
#include "execution/block.h"

namespace {

using emulated::running;

[[noreturn]] void FailMisaligned(size_t bytes, bool writes) {
  emulated::FailThread(std::string(writes ? "writes " : "reads ") + std::to_string(bytes) +
                       " bytes " + "at an address that is no multiple of " + std::to_string(bytes));
}

void Check(const void* address, size_t bytes, bool writes, const void* caller) {
  emulated::CheckAccess(reinterpret_cast<uintptr_t>(address), bytes, writes,
                        reinterpret_cast<uintptr_t>(caller));
}

// Most accesses are aligned ones of shared memory.
template <size_t Bytes, bool Writes>
inline void CheckAligned(const void* pointer, const void* caller) {
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  if (address % Bytes != 0) {
    FailMisaligned(Bytes, Writes);
  }
  const uintptr_t offset = address - reinterpret_cast<uintptr_t>(emulated_shared);
  if (offset < running.shared_bytes && offset + Bytes <= running.shared_bytes) {
    emulated::AccessShared(offset, Bytes, Writes);
  } else {
    emulated::CheckAccess(address, Bytes, Writes, reinterpret_cast<uintptr_t>(caller));
  }
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
#pragma GCC visibility push(default)
extern "C" {

#define EMULATED_ACCESS(bytes)                                   \
  void __tsan_read##bytes(void* at) {                            \
    CheckAligned<bytes, false>(at, __builtin_return_address(0)); \
  }                                                              \
  void __tsan_write##bytes(void* at) {                           \
    CheckAligned<bytes, true>(at, __builtin_return_address(0));  \
  }                                                              \
  void __tsan_unaligned_read##bytes(void* at) {                  \
    Check(at, bytes, false, __builtin_return_address(0));        \
  }                                                              \
  void __tsan_unaligned_write##bytes(void* at) {                 \
    Check(at, bytes, true, __builtin_return_address(0));         \
  }
EMULATED_ACCESS(1)
EMULATED_ACCESS(2)
EMULATED_ACCESS(4)
EMULATED_ACCESS(8)
EMULATED_ACCESS(16)
#undef EMULATED_ACCESS

void __tsan_init() {}

void* __tsan_memcpy(void* to, const void* from, size_t bytes) {
  Check(from, bytes, false, __builtin_return_address(0));
  Check(to, bytes, true, __builtin_return_address(0));
  return __builtin_memcpy(to, from, bytes);
}

void* __tsan_memmove(void* to, const void* from, size_t bytes) {
  Check(from, bytes, false, __builtin_return_address(0));
  Check(to, bytes, true, __builtin_return_address(0));
  return __builtin_memmove(to, from, bytes);
}

void* __tsan_memset(void* to, int value, size_t bytes) {
  Check(to, bytes, true, __builtin_return_address(0));
  return __builtin_memset(to, value, bytes);
}

}  // extern "C"
#pragma GCC visibility pop
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
