// Atomic operations: threads of the emulated GPU take turns only where they wait, so a plain update is one.
#pragma once
#include "abi.h"

template <class T, class Update>
static inline T emulated_atomic(T* address, Update update) {
  emulated_atomic_begin();
  const T old = *address;
  *address = update(old);
  emulated_atomic_end();
  return old;
}
template <class T, class V>
static inline T atomicAdd(T* address, V value) {
  return emulated_atomic(address,
                         [value](T old) { return static_cast<T>(old + static_cast<T>(value)); });
}
template <class T, class V>
static inline T atomicSub(T* address, V value) {
  return emulated_atomic(address,
                         [value](T old) { return static_cast<T>(old - static_cast<T>(value)); });
}
template <class T, class V>
static inline T atomicExch(T* address, V value) {
  return emulated_atomic(address, [value](T) { return static_cast<T>(value); });
}
template <class T, class V>
static inline T atomicMax(T* address, V value) {
  return emulated_atomic(address, [value](T old) {
    return old < static_cast<T>(value) ? static_cast<T>(value) : old;
  });
}
template <class T, class V>
static inline T atomicMin(T* address, V value) {
  return emulated_atomic(address, [value](T old) {
    return static_cast<T>(value) < old ? static_cast<T>(value) : old;
  });
}
template <class T, class V>
static inline T atomicCAS(T* address, V expected, V value) {
  return emulated_atomic(address, [=](T old) {
    return old == static_cast<T>(expected) ? static_cast<T>(value) : old;
  });
}
static inline void __threadfence() {}
static inline void __threadfence_block() {}
static inline void __threadfence_system() {}

template <class T>
static inline T __ldg(const T* address) {
  return *address;
}
template <class T>
static inline T __ldcg(const T* address) {
  return *address;
}
template <class T>
static inline T __ldcs(const T* address) {
  return *address;
}
template <class T>
static inline void __stcs(T* address, T value) {
  *address = value;
}
template <class T>
static inline void __stcg(T* address, T value) {
  *address = value;
}
