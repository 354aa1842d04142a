// cp.async: copies from global to shared memory that arrive when their thread waits for them, not before.
#pragma once

namespace emulated {

// Forgets what nobody waited for: a block begins.
void DropCopies();

}  // namespace emulated
