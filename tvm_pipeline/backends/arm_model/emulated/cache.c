#include "cache.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 16, LINES_PER_PAGE = 1 << (12 - LINE_SHIFT) };

/* A line's number shifted left by one, the lowest bit telling whether it was written to; ~0: empty. */
typedef uint64_t entry_t;

struct level {
  entry_t* entries; /* per set its ways, the last used first */
  uint64_t sets;
  unsigned ways;
  struct miss_counts missed;
};

static struct level levels[MOST_LEVELS];
static unsigned level_count;
static uint64_t writebacks;
static uint64_t streams[STREAMS]; /* the lines missed last, the latest first */
static uint64_t last_line = ~(uint64_t)0;
static bool last_was_store;

bool cache_add_level(uint64_t bytes, unsigned ways) {
  if (level_count == MOST_LEVELS || ways == 0 || bytes >> LINE_SHIFT < ways) return false;
  struct level* level = &levels[level_count++];
  level->ways = ways;
  level->sets = (bytes >> LINE_SHIFT) / ways;
  level->entries = malloc(level->sets * ways * sizeof(entry_t));
  if (level->entries == NULL) return false;
  memset(level->entries, 0xff, level->sets * ways * sizeof(entry_t));
  memset(streams, 0xff, sizeof(streams));
  return true;
}

/* Whether the line continues a stream, which it then becomes the head of. */
static bool follows_stream(uint64_t line) {
  unsigned position = 0;
  bool found = false;
  for (; position < STREAMS - 1; ++position) {
    uint64_t head = streams[position];
    found =
        (line - head == 1 || head - line == 1) && line / LINES_PER_PAGE == head / LINES_PER_PAGE;
    if (found) break;
  }
  memmove(streams + 1, streams, position * sizeof(streams[0]));
  streams[0] = line;
  return found;
}

static void count(struct miss_counts* missed, bool is_store, bool streamed) {
  if (is_store) {
    ++missed->stored;
  } else if (streamed) {
    ++missed->streamed;
  } else {
    ++missed->scattered;
  }
}

/* Moves the line to the front of its set, fetched if need be; returns whether it was there. */
static bool touch(unsigned index, uint64_t line, bool dirty);

static void evict(unsigned index, entry_t victim) {
  if (victim == ~(entry_t)0 || (victim & 1) == 0) return;
  if (index + 1 == level_count) {
    ++writebacks;
  } else {
    touch(index + 1, victim >> 1, true);
  }
}

static bool touch(unsigned index, uint64_t line, bool dirty) {
  struct level* level = &levels[index];
  entry_t* set = level->entries + line % level->sets * level->ways;
  unsigned way = 0;
  while (way < level->ways && set[way] >> 1 != line) ++way;
  bool hit = way < level->ways;
  if (!hit) evict(index, set[--way]);
  entry_t entry = (hit ? set[way] : line << 1) | (dirty ? 1 : 0);
  memmove(set + 1, set, way * sizeof(entry_t));
  set[0] = entry;
  return hit;
}

void cache_access(uint64_t address, bool is_store) {
  uint64_t line = address >> LINE_SHIFT;
  if (line == last_line && (last_was_store || !is_store)) return;
  last_line = line;
  last_was_store = is_store;
  bool streamed = false;
  for (unsigned index = 0; index < level_count; ++index) {
    if (touch(index, line, is_store && index == 0)) return;
    if (index == 0) streamed = follows_stream(line);
    count(&levels[index].missed, is_store, streamed);
  }
}

void cache_begin(void) {
  for (unsigned index = 0; index < level_count; ++index)
    memset(&levels[index].missed, 0, sizeof(levels[index].missed));
  writebacks = 0;
}

void cache_print(FILE* stream) {
  for (unsigned index = 0; index < level_count; ++index) {
    const struct miss_counts* missed = &levels[index].missed;
    fprintf(stream, "level %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", missed->streamed,
            missed->scattered, missed->stored);
  }
  fprintf(stream, "writebacks %" PRIu64 "\n", writebacks);
}
