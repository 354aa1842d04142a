#include "checks/coalescing.h"

#include <algorithm>
#include <array>
#include <vector>

#include "execution/block.h"

namespace emulated {
namespace {

struct Access {
  uintptr_t caller = 0;
  uintptr_t address = 0;
  uint32_t bytes = 0;
  uint32_t writes = 0;
  uint32_t occurrence = 0;  // of its caller, in its lane
};

std::array<std::vector<Access>, kWarp> traces;

// The sectors of one instruction, each once.
class Sectors {
 public:
  void Add(const Access& access) {
    writes_ = access.writes != 0;
    const uintptr_t last = (access.address + access.bytes - 1) / kSectorBytes;
    for (uintptr_t sector = access.address / kSectorBytes; sector <= last; ++sector) {
      if (!sectors_.empty() && sectors_.back() == sector) {
        continue;
      }
      sectors_.push_back(sector);
    }
  }

  void Count(Traffic* traffic) {
    if (!std::is_sorted(sectors_.begin(), sectors_.end())) {
      std::sort(sectors_.begin(), sectors_.end());
    }
    const auto end = std::unique(sectors_.begin(), sectors_.end());
    const auto bytes = static_cast<uint64_t>(end - sectors_.begin()) * kSectorBytes;
    (writes_ ? traffic->sector_bytes_stored : traffic->sector_bytes_loaded) += bytes;
    sectors_.clear();
  }

 private:
  std::vector<uintptr_t> sectors_;
  bool writes_ = false;
};

bool SamePath() {
  const std::vector<Access>* first = nullptr;
  for (const auto& trace : traces) {
    if (trace.empty()) {
      continue;
    }
    if (first == nullptr) {
      first = &trace;
    } else if (trace.size() != first->size() ||
               !std::equal(trace.begin(), trace.end(), first->begin(),
                           [](const Access& a, const Access& b) { return a.caller == b.caller; })) {
      return false;
    }
  }
  return true;
}

void JoinSamePath(Traffic* traffic) {
  size_t length = 0;
  for (const auto& trace : traces) {
    length = std::max(length, trace.size());
  }
  static Sectors sectors;
  for (size_t i = 0; i < length; ++i) {
    for (const auto& trace : traces) {
      if (!trace.empty()) {
        sectors.Add(trace[i]);
      }
    }
    sectors.Count(traffic);
  }
}

void JoinDivergent(Traffic* traffic) {
  static std::vector<Access> all;
  all.clear();
  for (auto& trace : traces) {
    std::stable_sort(trace.begin(), trace.end(),
                     [](const Access& a, const Access& b) { return a.caller < b.caller; });
    for (size_t i = 0; i < trace.size(); ++i) {
      trace[i].occurrence =
          i > 0 && trace[i].caller == trace[i - 1].caller ? trace[i - 1].occurrence + 1 : 0;
    }
    all.insert(all.end(), trace.begin(), trace.end());
  }
  std::stable_sort(all.begin(), all.end(), [](const Access& a, const Access& b) {
    return a.caller != b.caller ? a.caller < b.caller : a.occurrence < b.occurrence;
  });
  static Sectors sectors;
  for (size_t i = 0; i < all.size(); ++i) {
    sectors.Add(all[i]);
    const bool last = i + 1 == all.size() || all[i + 1].caller != all[i].caller ||
                      all[i + 1].occurrence != all[i].occurrence;
    if (last) {
      sectors.Count(traffic);
    }
  }
}

}  // namespace

void TraceAccess(unsigned lane, uintptr_t caller, uintptr_t address, size_t bytes, bool writes) {
  if (!Counting()) {
    return;
  }
  // A copy's load and store are at one place.
  traces[lane].push_back(
      {caller * 2 + (writes ? 1 : 0), address, static_cast<uint32_t>(bytes), writes ? 1U : 0U, 0});
}

void JoinLanes(Traffic* traffic) {
  if (!Counting()) {
    return;
  }
  if (SamePath()) {
    JoinSamePath(traffic);
  } else {
    JoinDivergent(traffic);
  }
  DropTraces();
}

void DropTraces() {
  for (auto& trace : traces) {
    trace.clear();
  }
}

}  // namespace emulated
