/* SPDX-License-Identifier: Apache-2.0 */
/* Splits, dividends and futures rolls: raw prices and a table of actions make an adjusted universe.
 */
#ifndef HAYATE_ADJUST_H
#define HAYATE_ADJUST_H

#include <hayate/market.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What bars before the action are changed by, so that they compare with those after it. open, high,
 * low, close, vwap, bid and ask are prices; volume is changed by splits alone; other fields stay.
 */
typedef enum hy_action_kind {
  HY_ACTION_SPLIT = 1,    /* amount: new shares for an old one; prices / amount, volume * amount */
  HY_ACTION_DIVIDEND = 2, /* amount: cash per share before it; prices * (1 - amount / close), the
                             close of the symbol's last bar before it */
  HY_ACTION_ROLL_RATIO = 3, /* amount: new contract's price over the old one's; prices * amount */
  HY_ACTION_ROLL_DIFFERENCE = 4 /* amount: new price less old price; prices + amount */
} hy_action_kind;

typedef struct hy_action {
  const char *symbol;
  int64_t ex_ns; /* bars that close after it are of the new kind, the others are changed */
  hy_action_kind kind;
  double amount;
} hy_action;

/* A table of actions: immutable; shared by threads. */
typedef struct hy_actions hy_actions;

/* Copied and sorted by symbol, time and kind. Errors: INVALID_ARGUMENT, BAD_FORMAT (an amount that
 * cannot be; the same symbol, time and kind twice), LIMIT. */
HY_API HY_CHECKED hy_status hy_actions_create(hy_runtime *runtime, const hy_action *rows,
                                              size_t n_rows, hy_actions **out, hy_error *err);
/* From delimited text with a head: symbol, ex, kind (split, dividend, roll_ratio, roll_difference),
 * amount. ex is ISO 8601 with offset or Z, or on the clock of `zone` (NULL: UTC); a date is its
 * first instant there. Errors: those of reading, with line and column. */
HY_API HY_CHECKED hy_status hy_actions_read(hy_runtime *runtime, const char *path, const char *zone,
                                            hy_actions **out, hy_error *err);
HY_API void hy_actions_destroy(hy_actions *actions);
/* The sorted rows; they live as long as the table. */
HY_API size_t hy_actions_list(const hy_actions *actions, const hy_action **rows);

/* The universe with the actions applied whose ex_ns is at most as_of_ns (INT64_MAX: all): as_of_ns
 * at a bar's close gives the history as it was known then. Symbols of the table that the universe
 * lacks are passed over. A price is price * scale + shift with the actions' composed, so that it is
 * rounded as often however many actions there are. It lives on the base's names: destroy it first.
 * Errors: NOT_FOUND (a dividend without a field close), BAD_FORMAT (a dividend not below the
 * close), LIMIT, OUT_OF_MEMORY, those of reading the base. */
HY_API HY_CHECKED hy_status hy_universe_adjust(hy_runtime *runtime, const hy_universe *base,
                                               const hy_actions *actions, int64_t as_of_ns,
                                               hy_universe **out, hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
