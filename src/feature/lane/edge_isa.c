/* SPDX-License-Identifier: Apache-2.0
 * The way into the lanes and out of them for one instruction set: bars cleaned as they enter,
 * values turned from lanes to rows or series, in tiles of eight by eight, as they leave. */
#include "feature/lane/edge.h"
#include "feature/lane/turn.h"

enum { TILE = 8 };

/* ---- a stream's row ---- */

static void take_in(const hy__edge_in *e) {
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    const lanes v = v_load(e->from + g);
    v_store(e->to + g, v_sel(v_ok(v - v), v, v_missing()));
  }
  if (e->present == 0xff) return;
  for (size_t k = 0; k < HY_LANES; k++)
    if (!(e->present >> k & 1)) e->to[k] = __builtin_nan("");
}

static void give_out(const hy__edge_out *e) {
  size_t i = 0;
  for (; e->n_lanes == HY_LANES && i + TILE <= e->n; i += TILE) {
    const double *row[TILE];
    for (size_t k = 0; k < TILE; k++) row[k] = e->from + e->row[i + k];
    turn_rows((turning){.row = row}, e->to + i, e->stride, false);
  }
  for (; i < e->n; i++)
    for (size_t k = 0; k < e->n_lanes; k++) {
      const double v = e->from[e->row[i] + k];
      e->to[k * e->stride + i] = v == v ? v : __builtin_nan("");
    }
}

/* ---- a batch's matrices ---- */

/* Rows of a matrix lie a page or so apart, where the machine does not look ahead by itself. Past
 * the end the prefetch asks for nothing. */
static void read_rows(const hy__edge_read *e) {
  enum { AHEAD = 128 };
  const size_t stride = e->stride, ahead = AHEAD * stride * sizeof(double);
  const double *row = e->from;
  double *to = e->to;
  for (size_t i = 0; i < e->n; i++, row += stride, to += HY_LANES) {
    __builtin_prefetch((const void *)((uintptr_t)row + ahead));
    __builtin_prefetch((const void *)((uintptr_t)(row + HY_LANES - 1) + ahead));
    for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
      const lanes v = v_load(row + g);
      v_store(to + g, v_sel(v_ok(v - v), v, v_missing()));
    }
  }
}

static void take_series(const hy__edge_read *e) {
  size_t t = 0;
  for (; t + TILE <= e->n; t += TILE) {
    const double *series[TILE];
    for (size_t k = 0; k < TILE; k++) series[k] = e->from + k * e->stride + t;
    turn_rows((turning){.row = series}, e->to + t * HY_LANES, HY_LANES, false);
  }
  for (; t < e->n; t++)
    for (size_t k = 0; k < HY_LANES; k++) e->to[t * HY_LANES + k] = e->from[k * e->stride + t];
  for (size_t at = 0; at < e->n * HY_LANES; at += LANE_WIDTH) {
    const lanes v = v_load(e->to + at);
    v_store(e->to + at, v_keep(v_ok(v - v), v));
  }
}

static void write_rows(const hy__edge_write *e) {
  const double *from = e->from;
  double *to = e->to;
  for (size_t t = 0; t < e->n; t++, from += HY_LANES, to += e->stride)
    for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) v_store(to + g, known_nan(v_load(from + g)));
}

HY_INLINE void put_row(turning from, double *to, size_t stride) {
  double row[HY_LANES];
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) v_store(row + g, turn_take(from, 0, g));
  for (size_t k = 0; k < HY_LANES; k++) to[k * stride] = row[k];
}

/* Whole lines go past the caches, so the series must lie a multiple of a line apart for that. */
HY_INLINE void write_lanes(const hy__edge_write *e, bool divides) {
  const bool past = e->past_caches && e->stride % TILE == 0;
  const size_t stride = e->stride, n = e->n;
  const double *from = e->from, *over = e->over;
  double *to = e->to;
  for (size_t t = 0; t < n;) {
    const bool whole = t + TILE <= n && ((uintptr_t)(to + t) & 63) == 0;
    const double *row[TILE] = {from + t * HY_LANES};
    for (size_t i = 1; whole && i < TILE; i++) row[i] = from + (t + i) * HY_LANES;
    const turning rows = {row, divides, divides ? over + t * HY_LANES : NULL};
    if (whole)
      turn_rows(rows, to + t, stride, past);
    else
      put_row(rows, to + t, stride);
    t += whole ? TILE : 1;
  }
}
static void write_series(const hy__edge_write *e) {
  if (e->over)
    write_lanes(e, true);
  else
    write_lanes(e, false);
}

extern const hy__edge HY__IND_CAT(hy__edge, HY_ISA);
const hy__edge HY__IND_CAT(hy__edge, HY_ISA) = {.in = take_in,
                                                .out = give_out,
                                                .read = read_rows,
                                                .take = take_series,
                                                .rows = write_rows,
                                                .series = write_series};
