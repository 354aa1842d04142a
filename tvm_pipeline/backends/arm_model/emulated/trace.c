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

/* What follows the hint was counted when QEMU entered the piece, before the hint, but is executed after it. */
static void begin(unsigned int vcpu, void* behind) {
  (void)vcpu;
  for (struct code* code = all_code; code != NULL; code = code->next)
    code->before = code->executions;
  if (behind != NULL) --((struct code*)behind)->before;
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

/* What follows the hint was counted, but is executed after it. */
static void end(unsigned int vcpu, void* behind) {
  (void)vcpu;
  if (has_ended) return;
  if (behind != NULL) --((struct code*)behind)->executions;
  write_report();
  has_ended = true;
}

static void at_exit(qemu_plugin_id_t id, void* unused) {
  (void)id, (void)unused;
  end(0, NULL);
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address,
                      void* unused) {
  (void)vcpu, (void)unused;
  cache_access(address, qemu_plugin_mem_is_store(info));
}

/* Counts a piece's instructions from ``first`` to before ``end``. */
static struct code* count_code(struct qemu_plugin_tb* tb, const uint32_t* words, size_t first,
                               size_t end) {
  struct code* code = calloc(1, sizeof(struct code) + (end - first) * sizeof(uint32_t));
  if (code == NULL) abort();
  code->address = qemu_plugin_tb_vaddr(tb) + first * sizeof(uint32_t);
  code->length = end - first;
  memcpy(code->words, words + first, code->length * sizeof(uint32_t));
  qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &code->executions, 1);
  code->next = all_code;
  all_code = code;
  return code;
}

/* From the back, so that a hint knows what lies behind it. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb* tb) {
  (void)id;
  size_t length = qemu_plugin_tb_n_insns(tb), end_of_part = length;
  uint32_t words[length];
  struct code* behind = NULL;
  for (size_t index = 0; index < length; ++index)
    memcpy(&words[index], qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, index)),
           sizeof(uint32_t));
  for (size_t index = length; index-- > 0;) {
    struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, index);
    qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
                                     NULL);
    if (words[index] != hint(HINT_BEGIN) && words[index] != hint(HINT_END)) continue;
    if (index + 1 < end_of_part) behind = count_code(tb, words, index + 1, end_of_part);
    end_of_part = index + 1;
    qemu_plugin_register_vcpu_insn_exec_cb(insn, words[index] == hint(HINT_BEGIN) ? begin : end,
                                           QEMU_PLUGIN_CB_NO_REGS, behind);
  }
  if (end_of_part > 0) count_code(tb, words, 0, end_of_part);
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
