/* SPDX-License-Identifier: Apache-2.0
 * The façade of the market room: universes by blocks of lanes, time and zone arithmetic. */
#ifndef HY_MARKET_MARKET_H
#define HY_MARKET_MARKET_H

#include <hayate/adjust.h>
#include <hayate/market.h>

#include "base/base.h"

/* Symbols travel in blocks of 8 lanes: value [bar][lane], absent lanes NaN. */
enum { HY_LANES = 8 };

static inline size_t hy__universe_n_blocks(size_t n_symbols) {
  return (n_symbols + HY_LANES - 1) / HY_LANES;
}

/* Index of a field by name or alias (o h l c v), -1 if the universe lacks it. */
int32_t hy__universe_field(const hy_universe *u, const char *name);

/* Rows [t_begin, t_end) of one field for block `block`, lane-major [t][8]. Cells whose valid byte
 * is 0 are NaN. `scratch` holds (t_end - t_begin) * 8 doubles; *out is scratch, or memory of the
 * mapped file when the layout and the mask allow (then nothing is copied). Called by many threads
 * at once. Errors: IO, BAD_FORMAT. */
HY_CHECKED hy_status hy__universe_block(const hy_universe *u, int32_t field, size_t block,
                                        size_t t_begin, size_t t_end, double *scratch,
                                        const double **out, hy_error *err);
/* The same rows as they lie in the file, where they lie in one piece as float64, else NULL: cells
 * whose valid byte is 0 hold anything, and so do absent lanes; an infinity stands for a missing
 * value. For readers that pick the present cells by hy__universe_present. */
const double *hy__universe_raw(const hy_universe *u, int32_t field, size_t block, size_t t_begin,
                               size_t t_end);
/* The same of a caller's matrix, whose rows lie *stride doubles apart; NULL for anything else. */
const double *hy__universe_strided(const hy_universe *u, int32_t field, size_t block,
                                   size_t t_begin, size_t *stride);
/* Whether a bar exists: one byte per row, bit k for lane k. all: true when every lane of every row
 * is present. */
HY_CHECKED hy_status hy__universe_present(const hy_universe *u, size_t block, size_t t_begin,
                                          size_t t_end, uint8_t *mask, bool *all, hy_error *err);

/* The synthetic universe as a panel of panel->n_symbols and n_bars of panel->timeframe: everything
 * else is set, in `arena`. */
HY_CHECKED hy_status hy__generate_panel(hy_panel *panel, uint64_t seed, hy__arena *arena,
                                        hy_error *err);

/* Time text: ISO 8601 with offset or Z, or a date (its end of day in `zone`), to ns UTC. */
HY_CHECKED hy_status hy__time_parse(const char *text, const char *zone, int64_t *out_ns,
                                    hy_error *err);
/* "2024-01-31T21:00:00Z"; text: 40 bytes. */
void hy__time_format(int64_t time_ns, char text[40]);

/* A zone's offsets from TZif; local wall seconds = utc seconds + hy__zone_offset_s. */
typedef struct hy__zone hy__zone;
HY_CHECKED hy_status hy__zone_open(const hy_allocator *a, const char *name, hy__zone **out,
                                   hy_error *err);
void hy__zone_close(hy__zone *zone);
int32_t hy__zone_offset_s(const hy__zone *zone, int64_t utc_s);

/* A market's sessions: a calendar with its zone, by name. NOT_FOUND names the calendars. */
typedef struct hy__sessions hy__sessions;
typedef struct hy__session {
  int64_t days;            /* the session's local date, since 1970-01-01 */
  int64_t open_s, close_s; /* UTC seconds; an overnight session opens the evening before */
  int64_t break_begin_s, break_end_s; /* the break within; equal: there is none */
} hy__session;
HY_CHECKED hy_status hy__sessions_open(const hy_allocator *a, const char *calendar,
                                       hy__sessions **out, hy_error *err);
void hy__sessions_close(hy__sessions *s);
/* Of a local date; false: the market is closed. */
bool hy__sessions_on(const hy__sessions *s, int64_t days, hy__session *out);
/* The one that a bar which closes then belongs to: the first whose close is not before utc_s. False
 * where none is near. */
bool hy__sessions_at(const hy__sessions *s, int64_t utc_s, hy__session *out);

/* Where the bars of a slower timeframe begin and end.
 *   session  a day, a week and months end with the close of their last session, and what lies
 *            between two sessions belongs to the next; shorter bars count from the session's open,
 *            begin anew after its break and end with it at the latest
 *   clock    days end at local midnight, weeks on Sunday's, months on their last day's; shorter
 * bars count from midnight on the wall clock, so that a bar over a change of the clock is shorter
 * or longer, never moved utc      the same on UTC's clock DEFAULT: session for a day, a week and
 * months where there is a calendar, else clock. */
typedef enum hy__anchor {
  HY__ANCHOR_DEFAULT,
  HY__ANCHOR_SESSION,
  HY__ANCHOR_CLOCK,
  HY__ANCHOR_UTC
} hy__anchor;
typedef struct hy__grid_options {
  int64_t timeframe_ns; /* whole seconds */
  int64_t base_ns;      /* of the bars to come, 0: unknown; the timeframe is a multiple of it */
  hy__anchor anchor;
  const char *zone;     /* of the wall clock; NULL or "": UTC */
  const char *calendar; /* NULL or "": none */
} hy__grid_options;
typedef struct hy__grid hy__grid;
/* What hy__grid_create refuses of a timeframe and its anchor alone. */
HY_CHECKED hy_status hy__grid_check(int64_t timeframe_ns, hy__anchor anchor, hy_error *err);
HY_CHECKED hy_status hy__grid_create(const hy_allocator *a, const hy__grid_options *o,
                                     hy__grid **out, hy_error *err);
void hy__grid_destroy(hy__grid *grid); /* NULL is fine */
/* The end of the slower bar that holds a bar which closes at close_ns; bars are (begin, end]. Not
 * before close_ns, and the same for every close from there to that end. Pure: by any thread, in
 * any order, without memory. */
int64_t hy__grid_end(const hy__grid *grid, int64_t close_ns);

/* How a field of a slower bar comes of the faster ones, oldest first; missing values are skipped:
 * open the first, high the largest, low the least, volume the sum, vwap the sum of price times
 * volume over the sum of volume where both are there, any other the last. */
typedef enum hy__fold {
  HY__FOLD_FIRST,
  HY__FOLD_HIGHEST,
  HY__FOLD_LOWEST,
  HY__FOLD_LAST,
  HY__FOLD_SUM,
  HY__FOLD_VWAP
} hy__fold;
typedef struct hy__fold_state {
  double value[HY_LANES], weight[HY_LANES];
} hy__fold_state;
hy__fold hy__fold_of(const char *field);
void hy__fold_begin(hy__fold_state *s); /* a bar without values: all lanes missing */
/* n rows of 8 lanes; volume: the same rows of it, for VWAP alone. The same bits however the rows
 * are cut into calls. */
void hy__fold_rows(hy__fold how, const double *cells, const double *volume, size_t n,
                   hy__fold_state *s);
void hy__fold_end(hy__fold how, const hy__fold_state *s, double out[HY_LANES]);

/* The universe of a slower timeframe, in memory: one row for each end of the grid that rows
 * [t_begin, t_end) reach by the last one's close, and that any of them belongs to; a symbol has the
 * bar if it has any bar in it. It stands on the base's names: destroy it first. */
typedef struct hy__aggregate_options {
  const hy__grid *grid;
  const char *timeframe;     /* its name */
  const char *const *fields; /* of the base; "n_src": the symbol's bars in the bar */
  size_t n_fields;
  size_t t_begin, t_end;
} hy__aggregate_options;
HY_CHECKED hy_status hy__universe_aggregate(hy_runtime *runtime, const hy_universe *base,
                                            const hy__aggregate_options *o, hy_universe **out,
                                            hy_error *err);

/* What a corporate action does to the bars before it: price * scale + shift, volume * volume. */
typedef struct hy__factor {
  double scale, shift, volume;
} hy__factor;
typedef enum hy__adjusted {
  HY__ADJUSTED_NOT,
  HY__ADJUSTED_PRICE,
  HY__ADJUSTED_VOLUME
} hy__adjusted;
hy__adjusted hy__adjusted_of(const char *field);
/* close: the symbol's last raw one before the action; NaN: it has none, nor bars to change. */
HY_CHECKED hy_status hy__action_factor(const hy_action *action, double close, hy__factor *out,
                                       hy_error *err);
hy__factor hy__factor_then(hy__factor first, hy__factor then);
static inline double hy__factor_apply(hy__factor f, hy__adjusted how, double v) {
  if (how == HY__ADJUSTED_NOT) return v;
  return how == HY__ADJUSTED_PRICE ? v * f.scale + f.shift : v * f.volume;
}

/* "1m" "5m" "1h" "4h" "1d" "1w" "1mo" and M1 H1 D1 MN1 forms, to ns. Months are multiples of their
 * mean length, which no other timeframe is: it orders them among the others, and where bars end
 * hy__grid says. */
HY_CHECKED hy_status hy__timeframe_parse(const char *text, int64_t *out_ns, hy_error *err);
int64_t hy__timeframe_months(int64_t ns);     /* 0: it is not of months */
int64_t hy__timeframe_longest_ns(int64_t ns); /* of its bars, but for changes of the clock */
/* Bars of base_ns fill bars of ns. */
bool hy__timeframe_divides(int64_t base_ns, int64_t ns);

#endif
