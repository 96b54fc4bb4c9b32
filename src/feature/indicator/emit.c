/* SPDX-License-Identifier: Apache-2.0
 * The way out of the lanes into a caller's memory: rows into a matrix of rows, or each lane's
 * column into a series of its own. No definition; it stands here to be compiled for each
 * instruction set as they are. Every NaN that leaves is the one of v_missing: the sign and payload
 * of others differ between instruction sets. */
#include "feature/turn.h"

/* p[0]: doubles from one row of the matrix to the next. */
static void rows_step(const hy__ind_step *s) {
  const size_t stride = p_count(s->p, 0);
  const double *from = s->in[0];
  double *to = s->out[0];
  for (size_t t = 0; t < s->n; t++, from += HY_LANES, to += stride)
    for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) v_store(to + g, known_nan(v_load(from + g)));
}
HY_IND_CODE(emit_rows) = {.step = rows_step};

HY_INLINE void put_row(const double *from, double *to, size_t stride) {
  double row[HY_LANES];
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) v_store(row + g, known_nan(v_load(from + g)));
  for (size_t k = 0; k < HY_LANES; k++) to[k * stride] = row[k];
}

/* p[0]: doubles from one lane's series to the next; p[1]: whether what is written is too much for
 * the caches. Whole lines, so both must be multiples of a line for that. */
static void series_step(const hy__ind_step *s) {
  enum { LINE = 8 };
  const size_t stride = p_count(s->p, 0);
  const double *from = s->in[0];
  double *to = s->out[0];
  const bool past = s->p[1] > 0.0 && stride % LINE == 0;
  size_t t = 0;
  for (; t < s->n && ((uintptr_t)(to + t) & 63) != 0; t++)
    put_row(from + t * HY_LANES, to + t, stride);
  for (; t + LINE <= s->n; t += LINE) {
    const double *row[LINE];
    for (size_t i = 0; i < LINE; i++) row[i] = from + (t + i) * HY_LANES;
    turn_rows(row, to + t, stride, past);
  }
  for (; t < s->n; t++) put_row(from + t * HY_LANES, to + t, stride);
}
HY_IND_CODE(emit_series) = {.step = series_step};
