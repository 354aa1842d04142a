#include "checks/async_copies.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "abi.h"
#include "checks/access.h"
#include "checks/shared_races.h"
#include "execution/block.h"

namespace emulated {
namespace {

struct Copy {
  unsigned char* to = nullptr;
  const void* from = nullptr;
  unsigned bytes = 0;
  unsigned source_bytes = 0;  // zeros follow them
};

// A thread's copies that have not arrived, the oldest first, and where its groups end among them.
struct Copies {
  std::vector<Copy> copies;
  std::vector<size_t> ends;
};
std::array<Copies, kMaxThreads> threads;
unsigned used = 0;  // threads above have none

size_t Offset(const unsigned char* shared) { return static_cast<size_t>(shared - emulated_shared); }

void Arrive(const Copy& copy) {
  SetCopyPending(Offset(copy.to), copy.bytes, false);
  std::memcpy(copy.to, copy.from, copy.source_bytes);
  std::memset(copy.to + copy.source_bytes, 0, copy.bytes - copy.source_bytes);
}

}  // namespace

void DropCopies() {
  for (unsigned i = 0; i < used; ++i) {
    for (const Copy& copy : threads[i].copies) {
      SetCopyPending(Offset(copy.to), copy.bytes, false);
    }
    threads[i].copies.clear();
    threads[i].ends.clear();
  }
  used = 0;
}

}  // namespace emulated

using emulated::running;

extern "C" {

void emulated_copy_async(unsigned char* to, const void* from, unsigned bytes, unsigned source_bytes,
                         int line) {
  if (bytes != 4 && bytes != 8 && bytes != 16) {
    emulated::FailThread("cp.async copies 4, 8 or 16 bytes", line);
  }
  if (reinterpret_cast<uintptr_t>(to) % bytes != 0 ||
      reinterpret_cast<uintptr_t>(from) % bytes != 0) {
    emulated::FailThread("cp.async needs addresses that are multiples of the bytes it copies",
                         line);
  }
  if (emulated::Offset(to) >= emulated::kSharedBytes) {
    emulated::FailThread("cp.async copies to shared memory", line);
  }
  const auto caller = static_cast<uintptr_t>(line);
  emulated::CheckAccess(reinterpret_cast<uintptr_t>(from), source_bytes, false, caller);
  emulated::CheckAccess(reinterpret_cast<uintptr_t>(to), bytes, true, caller);
  std::memset(to, 0xFF, bytes);
  emulated::SetCopyPending(emulated::Offset(to), bytes, true);
  emulated::threads[running.thread].copies.push_back({to, from, bytes, source_bytes});
  emulated::used = std::max(emulated::used, running.thread + 1);
}

void emulated_copy_commit() {
  emulated::Copies& mine = emulated::threads[running.thread];
  mine.ends.push_back(mine.copies.size());
  emulated::used = std::max(emulated::used, running.thread + 1);
}

void emulated_copy_wait(unsigned pending) {
  emulated::Copies& mine = emulated::threads[running.thread];
  if (mine.ends.size() <= pending) {
    return;
  }
  const auto groups = static_cast<std::ptrdiff_t>(mine.ends.size() - pending);
  const auto arrived = static_cast<std::ptrdiff_t>(mine.ends[static_cast<size_t>(groups - 1)]);
  std::for_each(mine.copies.begin(), mine.copies.begin() + arrived, emulated::Arrive);
  mine.copies.erase(mine.copies.begin(), mine.copies.begin() + arrived);
  mine.ends.erase(mine.ends.begin(), mine.ends.begin() + groups);
  for (size_t& end : mine.ends) {
    end -= static_cast<size_t>(arrived);
  }
}

}  // extern "C"
