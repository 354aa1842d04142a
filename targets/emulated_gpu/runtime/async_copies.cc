#include "async_copies.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "abi.h"
#include "access.h"
#include "block.h"
#include "shared_races.h"

namespace emulated {
namespace {

struct Copy {
  unsigned char* to = nullptr;
  const void* from = nullptr;
  unsigned bytes = 0;
  unsigned source_bytes = 0;  // zeros follow them
};

struct Copies {
  std::vector<std::vector<Copy>> groups;  // committed, the oldest first
  std::vector<Copy> open;
};
std::array<Copies, kMaxThreads> threads;

size_t Offset(const unsigned char* shared) { return static_cast<size_t>(shared - emulated_shared); }

void Arrive(const Copy& copy) {
  SetCopyPending(Offset(copy.to), copy.bytes, false);
  std::memcpy(copy.to, copy.from, copy.source_bytes);
  std::memset(copy.to + copy.source_bytes, 0, copy.bytes - copy.source_bytes);
}

void Drop(const std::vector<Copy>& copies) {
  for (const Copy& copy : copies) SetCopyPending(Offset(copy.to), copy.bytes, false);
}

}  // namespace

void DropCopies() {
  for (Copies& mine : threads) {
    Drop(mine.open);
    mine.open.clear();
    for (const auto& group : mine.groups) Drop(group);
    mine.groups.clear();
  }
}

}  // namespace emulated

using emulated::running;

extern "C" {

void emulated_copy_async(unsigned char* to, const void* from, unsigned bytes, unsigned source_bytes, int line) {
  if (bytes != 4 && bytes != 8 && bytes != 16) emulated::FailThread("cp.async copies 4, 8 or 16 bytes", line);
  if (reinterpret_cast<uintptr_t>(to) % bytes != 0 || reinterpret_cast<uintptr_t>(from) % bytes != 0) {
    emulated::FailThread("cp.async needs addresses that are multiples of the bytes it copies", line);
  }
  if (emulated::Offset(to) >= emulated::kSharedBytes) emulated::FailThread("cp.async copies to shared memory", line);
  const auto caller = static_cast<uintptr_t>(line);
  emulated::CheckAccess(reinterpret_cast<uintptr_t>(from), source_bytes, false, caller);
  emulated::CheckAccess(reinterpret_cast<uintptr_t>(to), bytes, true, caller);
  std::memset(to, 0xFF, bytes);
  emulated::SetCopyPending(emulated::Offset(to), bytes, true);
  emulated::threads[running.thread].open.push_back({to, from, bytes, source_bytes});
}

void emulated_copy_commit() {
  emulated::Copies& mine = emulated::threads[running.thread];
  mine.groups.push_back(std::move(mine.open));
  mine.open.clear();
}

void emulated_copy_wait(unsigned pending) {
  emulated::Copies& mine = emulated::threads[running.thread];
  while (mine.groups.size() > pending) {
    for (const emulated::Copy& copy : mine.groups.front()) emulated::Arrive(copy);
    mine.groups.erase(mine.groups.begin());
  }
}

}  // extern "C"
