/* A hierarchy of set-associative write-back caches, with what a hardware prefetcher would have fetched told apart. */
#ifndef STATIC_MODEL_CACHE_H_
#define STATIC_MODEL_CACHE_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { LINE_SHIFT = 6, MOST_LEVELS = 3 };

/* Lines that a level did not hold when a load or a store asked for them. A load's miss is streamed where the line before
 * it (or behind it) was missed not long ago and lies in the same page of 4 KiB: a hardware prefetcher would be ahead. */
struct miss_counts {
  uint64_t streamed, scattered, stored;
};

/* Adds a level behind those that are there. Returns false for sizes that make no cache. */
bool cache_add_level(uint64_t bytes, unsigned ways);

/* One access to the line of an address. */
void cache_access(uint64_t address, bool is_store);

/* From now on misses count from zero. */
void cache_begin(void);

/* One line per level: "level STREAMED SCATTERED STORED", then "writebacks LINES" of the last level. */
void cache_print(FILE* stream);

#endif
