/* Calls one TVM kernel once, as a network does: its input has just been written, everything else has left the caches.
 *
 *   PROGRAM THREADS SHAPE...     with SHAPE as in 1x32x196x16, one per argument, the output last
 *
 * The kernel is linked in. With several threads the share of the first is what is run: it is the largest. The two hints
 * tell trace.c when to count. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tvm/ffi/c_api.h>

enum { MOST_ARGUMENTS = 8, MOST_DIMENSIONS = 8, ALIGNMENT = 64, EVICTING_BYTES = 16 << 20 };

typedef struct {
  void* sync_handle;
  int32_t num_task;
} group_t;
typedef int (*task_t)(int task_id, group_t* group, void* data);

/* How a kernel reaches TVM's runtime: weak variables of its own, which the loader of a shared object fills in. */
extern int (*__TVMBackendParallelLaunch)(task_t, void*, int) __attribute__((weak));
extern void* (*__TVMBackendAllocWorkspace)(int, int, uint64_t, int, int)__attribute__((weak));
extern int (*__TVMBackendFreeWorkspace)(int, int, void*) __attribute__((weak));
extern int __tvm_ffi_main(void* self, const TVMFFIAny* arguments, int32_t count, TVMFFIAny* result);

static int thread_count;

static int launch(task_t task, void* data, int count) {
  group_t group = {NULL, count == 0 ? thread_count : count};
  return task(0, &group, data);
}

static void* allocate(int device_type, int device_id, uint64_t bytes, int code, int bits) {
  (void)device_type, (void)device_id, (void)code, (void)bits;
  return aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
}

static int release(int device_type, int device_id, void* memory) {
  (void)device_type, (void)device_id;
  free(memory);
  return 0;
}

void TVMFFIErrorSetRaisedFromCStrParts(const char* kind, const char** parts, int32_t count) {
  fprintf(stderr, "%s: ", kind);
  for (int32_t index = 0; index < count; ++index) fputs(parts[index], stderr);
  fputc('\n', stderr);
}

/* Reads "1x32x196x16" into the tensor's shape; returns the number of elements, 0 for anything else. */
static int64_t read_shape(const char* text, DLTensor* tensor) {
  int64_t elements = 1;
  char* rest = (char*)text;
  for (tensor->ndim = 0; tensor->ndim < MOST_DIMENSIONS;) {
    int64_t extent = strtoll(rest, &rest, 10);
    if (extent <= 0) return 0;
    tensor->shape[tensor->ndim++] = extent;
    elements *= extent;
    if (*rest != 'x') return *rest == '\0' ? elements : 0;
    ++rest;
  }
  return 0;
}

static void fill(float* values, int64_t count) {
  for (int64_t index = 0; index < count; ++index) values[index] = 0.1f;
}

static void evict(void) {
  static volatile char memory[EVICTING_BYTES];
  for (size_t index = 0; index < sizeof(memory); index += 64) memory[index];
}

int main(int argc, char** argv) {
  static DLTensor tensors[MOST_ARGUMENTS];
  static int64_t shapes[MOST_ARGUMENTS][MOST_DIMENSIONS];
  static int64_t sizes[MOST_ARGUMENTS];
  TVMFFIAny arguments[MOST_ARGUMENTS] = {{0}}, result = {0};
  int count = argc - 2;
  thread_count = argc > 1 ? atoi(argv[1]) : 0;
  if (thread_count < 1 || count < 1 || count > MOST_ARGUMENTS) {
    return fprintf(stderr, "usage: %s THREADS SHAPE...\n", argv[0]), 2;
  }
  for (int index = 0; index < count; ++index) {
    DLTensor* tensor = &tensors[index];
    tensor->shape = shapes[index];
    sizes[index] = read_shape(argv[index + 2], tensor);
    tensor->device.device_type = kDLCPU;
    tensor->dtype = (DLDataType){kDLFloat, 32, 1};
    tensor->data = allocate(0, 0, sizes[index] * sizeof(float), 0, 0);
    if (sizes[index] == 0 || tensor->data == NULL) {
      return fprintf(stderr, "not a shape: %s\n", argv[index + 2]), 2;
    }
    arguments[index].type_index = kTVMFFIDLTensorPtr;
    arguments[index].v_ptr = tensor;
  }
  if (&__TVMBackendParallelLaunch != NULL) __TVMBackendParallelLaunch = launch;
  if (&__TVMBackendAllocWorkspace != NULL) __TVMBackendAllocWorkspace = allocate;
  if (&__TVMBackendFreeWorkspace != NULL) __TVMBackendFreeWorkspace = release;
  for (int index = 1; index < count; ++index) fill(tensors[index].data, sizes[index]);
  evict();
  fill(tensors[0].data, sizes[0]);
  __asm__ volatile("hint #126" ::: "memory");
  int failed = __tvm_ffi_main(NULL, arguments, count, &result);
  __asm__ volatile("hint #127" ::: "memory");
  if (failed != 0) return 1;
  const float* output = tensors[count - 1].data;
  printf("%.9g\n", output[0]);
  return 0;
}
