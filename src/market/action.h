/* SPDX-License-Identifier: Apache-2.0
 * The table of corporate actions: made of rows or read from text. */
#ifndef HY_MARKET_ACTION_H
#define HY_MARKET_ACTION_H

#include <hayate/adjust.h>

#include "market/source.h"

enum { HY_ACTIONS_MAX = 1 << 24 };

struct hy_actions {
  const hy_allocator *allocator;
  hy__arena *arena; /* of the names */
  hy_action *rows;  /* sorted by symbol, time, kind */
  size_t n_rows, capacity;
};

/* An empty table; add rows, then settle it. */
HY_CHECKED hy_status hy__actions_begin(const hy_allocator *a, hy_actions **out, hy_error *err);
HY_CHECKED hy_status hy__actions_add(hy_actions *t, const hy_action *row, size_t symbol_bytes,
                                     hy_error *err);
HY_CHECKED hy_status hy__actions_settle(hy_actions *t, hy_error *err);
/* The rows of a text, added. */
HY_CHECKED hy_status hy__actions_parse(hy_actions *t, const hy__source *source, const char *zone,
                                       hy_error *err);

#endif
