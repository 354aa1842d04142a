/* A QEMU plugin: how often each piece of an AArch64 program was executed, and what its accesses missed in the caches.
 *
 *   qemu-aarch64 -plugin trace.so,out=FILE,cache=BYTES:WAYS,cache=BYTES:WAYS PROGRAM
 *
 * counts between the instructions hint #126 and hint #127, or all of a program that executes neither. FILE then holds
 * what cache_print() says and a line per translated piece: "code ADDRESS EXECUTIONS WORD...", all but the executions
 * hexadecimal. Counts are exact for a program of one thread. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "qemu_plugin.h"

#define EXPORT __attribute__((visibility("default")))

enum { HINT_BEGIN = 126, HINT_END = 127 };

struct code {
  struct code* next;
  uint64_t address, executions, before;
  size_t length;
  uint32_t words[];
};

EXPORT int qemu_plugin_version = 1;

static struct code* all_code;
static const char* out_path;
static bool has_ended;

static uint32_t hint(unsigned number) { return 0xD503201Fu | number << 5; }

static void begin(unsigned int vcpu, void* unused) {
  (void)vcpu, (void)unused;
  for (struct code* code = all_code; code != NULL; code = code->next)
    code->before = code->executions;
  cache_begin();
}

static void write_report(void) {
  FILE* stream = fopen(out_path, "w");
  if (stream == NULL) {
    perror(out_path);
    return;
  }
  cache_print(stream);
  for (const struct code* code = all_code; code != NULL; code = code->next) {
    if (code->executions == code->before) continue;
    fprintf(stream, "code %" PRIx64 " %" PRIu64, code->address, code->executions - code->before);
    for (size_t index = 0; index < code->length; ++index)
      fprintf(stream, " %x", code->words[index]);
    fputc('\n', stream);
  }
  fclose(stream);
}

static void end(unsigned int vcpu, void* unused) {
  (void)vcpu, (void)unused;
  if (!has_ended) write_report();
  has_ended = true;
}

static void at_exit(qemu_plugin_id_t id, void* unused) {
  (void)id;
  end(0, unused);
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address,
                      void* unused) {
  (void)vcpu, (void)unused;
  cache_access(address, qemu_plugin_mem_is_store(info));
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  size_t length = qemu_plugin_tb_n_insns(tb);
  struct code* code = calloc(1, sizeof(struct code) + length * sizeof(uint32_t));
  if (code == NULL) abort();
  code->address = qemu_plugin_tb_vaddr(tb);
  code->length = length;
  for (size_t index = 0; index < length; ++index)
    memcpy(&code->words[index], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, index)),
           sizeof(uint32_t));
  for (size_t index = 0; index < length; ++index) {
    struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, index);
    qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
                                     NULL);
    if (code->words[index] == hint(HINT_BEGIN))
      qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, QEMU_PLUGIN_CB_NO_REGS, NULL);
    if (code->words[index] == hint(HINT_END))
      qemu_plugin_register_vcpu_insn_exec_cb(insn, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
  }
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &code->executions, 1);
  code->next = all_code;
  all_code = code;
}

static bool read_argument(const char* argument) {
  uint64_t bytes;
  unsigned ways;
  if (sscanf(argument, "cache=%" SCNu64 ":%u", &bytes, &ways) == 2)
    return cache_add_level(bytes, ways);
  if (strncmp(argument, "out=", 4) != 0) return false;
  out_path = strdup(argument + 4);
  return out_path != NULL;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* info, int argc,
                               char** argv) {
  (void)info;
  for (int index = 0; index < argc; ++index)
    if (!read_argument(argv[index]))
      return fprintf(stderr, "trace.so: cannot use %s\n", argv[index]), 1;
  if (out_path == NULL) return fprintf(stderr, "trace.so: out=FILE is missing\n"), 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, at_exit, NULL);
  return 0;
}
