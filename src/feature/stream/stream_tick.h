/* SPDX-License-Identifier: Apache-2.0
 * One call of a stream, and one bar of one timeframe in it: shared by stream.c (calls),
 * stream_bar.c (bars in) and stream_tick.c (steps, and features out). */
#ifndef HY_FEATURE_STREAM_TICK_H
#define HY_FEATURE_STREAM_TICK_H

#include <math.h>

#include "feature/stream/stream.h"

/* One call of update, peek or advance. */
typedef struct hy__stream_event {
  hy_feature_stream *s;
  const hy_bar_row *row; /* NULL: only time has passed */
  double *values;
  uint8_t *valid;
} hy__stream_event;

/* A bar of a timeframe that has closed, for all symbols that have it. */
typedef struct hy__stream_tick {
  const hy__stream_event *e;
  hy_feature_stream *s;
  const hy__stream_frame *frame;
  uint32_t tf;
  int64_t time_ns;
} hy__stream_tick;

/* What is not finite is missing, and missing is this one NaN. */
static inline double hy__stream_kept(double v) { return v - v == 0.0 ? v : (double)NAN; }

/* ---- stream_bar.c ---- */

/* The block's part of the row of bars, what is missing as NaN. */
void hy__stream_read_bars(const hy__stream_event *e, size_t block);
/* Adds it to the open bars of the slower timeframes. */
void hy__stream_fold_block(const hy__stream_event *e, size_t block);
/* The clocks of this bar, the same for all blocks. */
void hy__stream_read_clocks(const hy__stream_tick *t);
/* Says whose series go on with this bar, and writes the rows that are not computed. */
void hy__stream_open_block(const hy__stream_tick *t, size_t block);
/* What faster timeframes see of this bar is kept, and the next one begins. */
void hy__stream_close_block(const hy__stream_tick *t, size_t block);
/* The newest row of a ring. */
void hy__stream_put_row(double *base, const hy__ring *r, uint32_t count,
                        const double row[HY_LANES]);

/* ---- stream_tick.c ---- */

/* A bar of a timeframe that ends at time_ns, for all symbols. */
void hy__stream_run_tick(const hy__stream_event *e, uint32_t tf, int64_t time_ns);

#endif
