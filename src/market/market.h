/* SPDX-License-Identifier: Apache-2.0
 * The façade of the market room: universes by blocks of lanes, time and zone arithmetic. */
#ifndef HY_MARKET_MARKET_H
#define HY_MARKET_MARKET_H

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

/* "1m" "5m" "1h" "4h" "1d" "1w" and M1 H1 D1 forms, to ns. */
HY_CHECKED hy_status hy__timeframe_parse(const char *text, int64_t *out_ns, hy_error *err);

#endif
