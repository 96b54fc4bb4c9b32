/* SPDX-License-Identifier: Apache-2.0 */
/* Bars of trades: by time, by number of trades, by volume, by turnover. */
#ifndef HAYATE_TICK_H
#define HAYATE_TICK_H

#include <hayate/market.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes bars of trades as they come. Single-writer: one thread at a time. All memory is taken when
 * it is made; push and close allocate nothing. The bars are the same however the trades are divided
 * into calls. */
typedef struct hy_ticks hy_ticks;

typedef enum hy_remainder {
  HY_REMAINDER_WHOLE = 0, /* a bar begins at zero */
  HY_REMAINDER_CARRY = 1  /* what a bar has above its threshold counts for the next */
} hy_remainder;

typedef struct hy_ticks_options {
  size_t struct_size;
  size_t n_symbols;
  const char *bars;       /* "tick:1000", "volume:1e6", "dollar:5e7" (price * size), "time:1m" */
  hy_remainder remainder; /* of volume and dollar */
  const char *zone, *calendar; /* of time bars; NULL: UTC, none */
} hy_ticks_options;

typedef struct hy_trade {
  int64_t time_ns;
  double price, size; /* price above zero, size at least zero, at most 1e100 */
  uint32_t symbol;    /* below n_symbols */
  uint32_t flags;     /* not 0: cancelled or otherwise no trade; dropped and counted */
} hy_trade;

/* time_ns: of the last trade; of time bars the end of the timeframe's grid. Where two bars of a
 * symbol would end at one time, the later one is moved on by 1 ns. vwap: NaN without volume. */
typedef struct hy_tick_bar {
  int64_t time_ns;
  double open, high, low, close, volume, vwap;
  uint64_t n_trades;
  uint64_t symbol;
} hy_tick_bar;

/* Errors: INVALID_ARGUMENT, NOT_FOUND (a zone or calendar), LIMIT, OUT_OF_MEMORY. */
HY_API HY_CHECKED hy_status hy_ticks_create(hy_runtime *runtime, const hy_ticks_options *options,
                                            hy_ticks **out, hy_error *err);
HY_API void hy_ticks_destroy(hy_ticks *ticks);

/* Trades in the order in which they happened; each symbol's times do not step back, and of equal
 * times the order of the trades counts. bars: room for n_trades, in the order in which they close.
 * A bar closes with the trade that reaches its threshold (the sum is rounded once);
 * a time bar with the symbol's first trade behind it. A refused call changes nothing. Errors:
 * INVALID_ARGUMENT (symbol), BAD_FORMAT (price, size, a time outside the years 1685 to 2254), LATE,
 * which name the trade. */
HY_API HY_CHECKED hy_status hy_ticks_push(hy_ticks *ticks, const hy_trade *trades, size_t n_trades,
                                          hy_tick_bar *bars, size_t *n_bars, hy_error *err);
/* No trade until time_ns comes any more: time bars that end by then close. bars: room for
 * n_symbols, in the order of the symbols. */
HY_API HY_CHECKED hy_status hy_ticks_close(hy_ticks *ticks, int64_t time_ns, hy_tick_bar *bars,
                                           size_t *n_bars, hy_error *err);

typedef struct hy_ticks_info {
  size_t struct_size;
  uint64_t n_trades, n_dropped, n_bars, n_moved; /* moved on by 1 ns */
  uint64_t n_open;                               /* trades in bars that have not closed */
  size_t snapshot_bytes;                         /* what hy_ticks_snapshot writes */
} hy_ticks_info;
HY_API void hy_ticks_describe(const hy_ticks *ticks, hy_ticks_info *info);

/* Everything that later bars depend on, the open ones and the counts, with a checksum; the same
 * bytes on every machine. `bytes` is the room at `data`, at least snapshot_bytes. */
HY_API HY_CHECKED hy_status hy_ticks_snapshot(const hy_ticks *ticks, void *data, size_t bytes,
                                              hy_error *err);
/* Goes on where the snapshot was taken, in the middle of bars; symbols are by index. Errors:
 * BAD_FORMAT (cut short, not a snapshot, of another version, a wrong checksum, a state that no
 * trades make), MISMATCH (other bars, remainder, zone, calendar or number of symbols; says which).
 * After an error the ticks are as they were. */
HY_API HY_CHECKED hy_status hy_ticks_restore(hy_ticks *ticks, const void *data, size_t bytes,
                                             hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
