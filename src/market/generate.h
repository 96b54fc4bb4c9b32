/* SPDX-License-Identifier: Apache-2.0
 * The synthetic universe's parts: its time axis, its factors, one symbol's bars. */
#ifndef HY_MARKET_GENERATE_H
#define HY_MARKET_GENERATE_H

#include "market/market.h"

enum { HY_SECTORS = 11, HY__GENERATE_FIELDS = 6 };

/* open high low close volume vwap */
extern const char *const hy__generate_fields[HY__GENERATE_FIELDS];

/* The bars of the axis and what the market does in each. */
typedef struct hy__tape {
  size_t n_bars;
  bool intraday;
  int64_t *time_ns;
  double *phase;     /* middle of the bar within its session, 0 to 1 */
  double *share;     /* of a session's length; over 1 for bars of several sessions */
  uint8_t *first;    /* 1: first bar of a session, the overnight gap stands before it */
  double *regime;    /* volatility of the day, 1 is usual */
  double *market;    /* log return */
  double *overnight; /* the market's gap before the bar, else 0 */
  double *sector[HY_SECTORS];
} hy__tape;

/* Axis and factors for sessions of XNYS. Errors: INVALID_ARGUMENT (timeframe), LIMIT. */
HY_CHECKED hy_status hy__tape_fill(hy__tape *tape, int64_t timeframe_ns, uint64_t seed,
                                   hy_error *err);

typedef struct hy__symbol_cells {
  double *field[HY__GENERATE_FIELDS]; /* lane-major: cell t at [t * 8] */
  uint8_t *valid;
} hy__symbol_cells;
void hy__generate_symbol(const hy__tape *tape, uint64_t seed, size_t symbol,
                         const hy__symbol_cells *out);

#endif
