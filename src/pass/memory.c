/* SPDX-License-Identifier: Apache-2.0 */
/* Where a plan's values lie in its one arena: largest first, each at the lowest offset that is free
 * over its whole lifetime. */
#include <stdlib.h>

#include "pass/pass.h"

typedef struct placed {
  hy__memory_block *block;
  size_t bytes; /* rounded up */
} placed;

static int larger_first(const void *a, const void *b) {
  const placed *x = a, *y = b;
  if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
  if (x->block->first != y->block->first) return x->block->first < y->block->first ? -1 : 1;
  return x->block < y->block ? -1 : 1; /* the same order whatever qsort does */
}

static bool meet(const hy__memory_block *a, const hy__memory_block *b) {
  return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset for item k among 0..k-1, which `by_offset` lists in order of their offsets. */
static size_t place(const placed *items, const size_t *by_offset, size_t k) {
  size_t at = 0;
  for (size_t i = 0; i < k; i++) {
    const placed *other = &items[by_offset[i]];
    if (!meet(items[k].block, other->block)) continue;
    if (other->block->offset >= at && other->block->offset - at >= items[k].bytes) break;
    at = HY_MAX(at, other->block->offset + other->bytes);
  }
  return at;
}

static hy_status place_all(placed *items, size_t *by_offset, size_t n, size_t *total,
                           hy_error *err) {
  for (size_t k = 0; k < n; k++) {
    size_t at = place(items, by_offset, k), end;
    HY_FAIL_IF(!hy__add(at, items[k].bytes, &end), HY_LIMIT, err, "the arena would overflow");
    items[k].block->offset = at;
    *total = HY_MAX(*total, end);
    size_t i = k;
    for (; i > 0 && items[by_offset[i - 1]].block->offset > at; i--)
      by_offset[i] = by_offset[i - 1];
    by_offset[i] = k;
  }
  return HY_OK;
}

hy_status hy__memory_plan(hy__memory_block *blocks, size_t n, const hy_allocator *a, size_t *total,
                          hy_error *err) {
  *total = 0;
  if (!n) return HY_OK;
  void *memory;
  size_t each = sizeof(placed) + sizeof(size_t);
  HY_TRY(hy__alloc_array(a, n, each, &memory, err));
  placed *items = memory;
  size_t *by_offset = (size_t *)(items + n);
  hy_status status = HY_OK;
  for (size_t i = 0; i < n; i++) {
    items[i].block = &blocks[i];
    if (!hy__round_up(blocks[i].bytes, HY_ALIGN, &items[i].bytes))
      status = hy__error_set(err, HY_LIMIT, "a value of %zu bytes", blocks[i].bytes);
  }
  if (status == HY_OK) {
    qsort(items, n, sizeof *items, larger_first);
    status = place_all(items, by_offset, n, total, err);
  }
  hy__free(a, memory, n * each);
  return status;
}
