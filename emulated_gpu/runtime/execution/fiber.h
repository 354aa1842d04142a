// Stacks, and the switch from one to another.
#pragma once
#include <cstddef>
#include <cstdint>

namespace emulated {

constexpr size_t kStackBytes = size_t{256} * 1024;

// Goes on where the stack `to` was left, and keeps in *from where this one can go on.
void SwitchStack(void** from, void* to);

// The pointer to switch to for a stack that begins in `start`, which must not return.
void* FreshStack(uintptr_t stack, void (*start)());

// That many stacks side by side; each has an unmapped page at its end. Ends the process if there is no memory.
uintptr_t MapStacks(size_t count);

}  // namespace emulated
