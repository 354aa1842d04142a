#include "execution/fiber.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

namespace emulated {

// What the System V ABI of x86-64 lets a function keep: rbx, rbp, r12 to r15.
__attribute__((naked)) void SwitchStack(void** /*from*/, void* /*to*/) {
  asm volatile(
      "push %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
      "mov %rsp, (%rdi)\n\t"
      "mov %rsi, %rsp\n\t"
      "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\t"
      "ret");
}

void* FreshStack(uintptr_t stack, void (*start)()) {
  auto* top = reinterpret_cast<uintptr_t*>(stack + kStackBytes);
  // As after a call: a return address (to nowhere) above start, and six registers below it.
  top[-1] = 0;
  top[-2] = reinterpret_cast<uintptr_t>(start);
  for (int i = 3; i <= 8; ++i) {
    top[-i] = 0;
  }
  return top - 8;
}

uintptr_t MapStacks(size_t count) {
  void* stacks = mmap(nullptr, count * kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stacks == MAP_FAILED) {
    std::fputs("emulated GPU: no memory for the threads' stacks\n", stderr);
    std::abort();
  }
  const auto begin = reinterpret_cast<uintptr_t>(stacks);
  for (size_t i = 0; i < count; ++i) {
    mprotect(reinterpret_cast<void*>(begin + i * kStackBytes), 4096, PROT_NONE);
  }
  return begin;
}

}  // namespace emulated
