// Shared memory that one thread writes and another touches, with no barrier between: a race, whatever the order here.
#pragma once
#include <cstddef>

namespace emulated {

// The running thread touches bytes of shared memory. It fails if another did since the last barrier, or if a copy that
// nobody has waited for is on its way there.
void AccessShared(size_t offset, size_t bytes, bool writes);

// A copy into shared memory is on its way, or has arrived.
void SetCopyPending(size_t offset, size_t bytes, bool pending);

}  // namespace emulated
