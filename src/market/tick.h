/* SPDX-License-Identifier: Apache-2.0
 * What hy_ticks holds: shared by the step per trade and by what writes it down. */
#ifndef HY_MARKET_TICK_H
#define HY_MARKET_TICK_H

#include <hayate/tick.h>

#include "market/time.h"

#define HY__TICK_MOST 1e100 /* of a price and a size, so that their products are numbers */
/* Of a time on either side of 1970, so that bars can be moved on behind it: 1684 to 2255. */
#define HY__TICK_NS_MOST INT64_C(9000000000000000000)

typedef enum hy__tick_rule {
  HY__TICK_TIME,
  HY__TICK_COUNT,
  HY__TICK_VOLUME,
  HY__TICK_DOLLAR
} hy__tick_rule;

/* An unevaluated sum: |low| is at most half a unit in high's last place. */
typedef struct hy__tick_sum {
  double high, low;
} hy__tick_sum;

/* A symbol's bar that is open. */
typedef struct hy__tick_open {
  hy_tick_bar bar;  /* volume and vwap are set when it closes */
  hy__tick_sum sum; /* towards the threshold, with what was carried over */
  double volume, turnover;
  int64_t last_ns; /* of the last trade; while a call is checked: of its trades so far */
  int64_t seen_ns;
  int64_t ended_ns; /* of the last bar */
} hy__tick_open;

struct hy_ticks {
  const hy_allocator *allocator;
  size_t n_symbols;
  hy__tick_rule rule;
  hy_remainder remainder;
  double threshold;
  hy__grid *grid; /* of time bars; with what it was made of, "" otherwise */
  int64_t timeframe_ns;
  char *zone, *calendar; /* one piece of memory */
  size_t names_bytes;
  hy__tick_open *open; /* [n_symbols] */
  int64_t closed_ns;
  hy_ticks_info counts;
};

/* "time:", "tick:", "volume:", "dollar:" by rule. */
extern const char *const hy__tick_rules[4];
size_t hy__ticks_snapshot_bytes(const hy_ticks *t);

#endif
