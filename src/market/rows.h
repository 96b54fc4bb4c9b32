/* SPDX-License-Identifier: Apache-2.0
 * What import collects: rows of (time, symbol, fields) in the order of the files, and the symbols'
 * names. */
#ifndef HY_MARKET_ROWS_H
#define HY_MARKET_ROWS_H

#include "market/universe.h"

enum { HY_ROWS_PER_SEGMENT = 1 << 16, HY_ROWS_MAX = INT32_MAX };

/* A row of a segment; n_fields values follow. */
typedef struct hy__row {
  int64_t time_ns;
  uint32_t symbol;
  uint32_t flags; /* HY_ROW_* */
  double value[];
} hy__row;
enum {
  HY_ROW_DATE = 1 /* the stamp had no clock */,
  HY_ROW_LATER = 2 /* the clock shows it twice */
};

typedef struct hy__rows {
  const hy_allocator *allocator;
  size_t n_fields, row_bytes;
  size_t n_rows;
  char **segments;
  size_t n_segments, capacity;
} hy__rows;

void hy__rows_init(hy__rows *r, const hy_allocator *a, size_t n_fields);
void hy__rows_destroy(hy__rows *r);
/* The next row, its values not set. Errors: LIMIT, OUT_OF_MEMORY. */
HY_CHECKED hy_status hy__rows_grow(hy__rows *r, hy_error *err);
static inline hy__row *hy__rows_at(const hy__rows *r, size_t k) {
  return (hy__row *)(void *)(r->segments[k / HY_ROWS_PER_SEGMENT] +
                             k % HY_ROWS_PER_SEGMENT * r->row_bytes);
}
static inline hy_status hy__rows_add(hy__rows *r, hy__row **out, hy_error *err) {
  if (r->n_rows == r->n_segments * HY_ROWS_PER_SEGMENT) HY_TRY(hy__rows_grow(r, err));
  *out = hy__rows_at(r, r->n_rows++);
  return HY_OK;
}

/* Names to numbers, in order of appearance. */
typedef struct hy__symbols {
  const hy_allocator *allocator;
  hy__arena *arena; /* of the names */
  const char **names;
  uint32_t *lengths;
  size_t n, capacity, capacity_lengths;
  uint32_t *slots; /* number + 1, open addressing */
  size_t n_slots;
  uint32_t last, *after; /* after[k]: who followed k last time */
  size_t capacity_after;
} hy__symbols;

void hy__symbols_init(hy__symbols *s, const hy_allocator *a, hy__arena *arena);
void hy__symbols_destroy(hy__symbols *s);
/* The number of a name, a new one if it is new. Errors: LIMIT, BAD_FORMAT (no name), OUT_OF_MEMORY.
 */
HY_CHECKED hy_status hy__symbols_find(hy__symbols *s, const char *text, size_t len_bytes,
                                      uint32_t *out, hy_error *err);

#endif
