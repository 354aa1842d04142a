// Addresses in shared memory, and copies into it whose bytes arrive only when their thread waits for them.
#pragma once
#include "abi.h"

static inline size_t __cvta_generic_to_shared(const void* pointer) {
  return static_cast<size_t>(static_cast<const unsigned char*>(pointer) - emulated_shared);
}

static inline unsigned char* emulated_shared_pointer(size_t address) {
  return emulated_shared + address;
}

template <class Address>
static inline unsigned char* emulated_shared_pointer(const Address* pointer) {
  return reinterpret_cast<unsigned char*>(const_cast<Address*>(pointer));
}

// Dynamic shared memory lies behind the static arrays.
static inline void* emulated_dynamic_shared(size_t static_bytes) {
  return emulated_shared + (static_bytes + 127) / 128 * 128;
}
