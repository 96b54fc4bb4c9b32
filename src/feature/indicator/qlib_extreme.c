/* SPDX-License-Identifier: Apache-2.0
 * As qlib has them: largest and smallest of the values that a window holds, and where they lie.
 * A place is counted from the window's oldest row, which a series' start makes a later one; @bar
 * tells such rows from missing values, the oldest of which wins every place. */
#include "feature/lane/ladder.h"
#include "feature/lane/skip.h"

/* p: n, min. */
static size_t last(const double *p) { return last_of(p, 0); }
static size_t least(const double *p) { return p_count(p, 1) - 1; }
static size_t rest(const double *p, double tol) {
  return (void)tol, p_count(p, 0) - HY_MIN(p_count(p, 0), p_count(p, 1));
}

HY_INLINE void high_block(const double *const *in, lanes *column) {
  column[0] = max_run(in[0], RUN);
}
HY_INLINE void low_block(const double *const *in, lanes *column) {
  column[0] = min_run(in[0], RUN);
}
/* Runs with a missing value are infinite. */
HY_INLINE mask is_infinite(lanes a) { return v_gap(a - a); }

typedef struct known {
  lanes count, highest, lowest;
} known;

HY_INLINE known known_of(const double *x, size_t n) {
  const lanes most = v_set(__builtin_inf());
  known w = {v_zero(), v_zero() - most, most};
  for (size_t k = 0; k < n; k++) {
    const lanes value = v_ago(x, k);
    w.count = v_add_if(v_ok(value), w.count, v_set(1.0));
    w.highest = v_max(value, w.highest);
    w.lowest = v_min(value, w.lowest);
  }
  return w;
}

/* Rows of the window that are rows of the series, from the oldest of which on places count; and how
 * long ago the oldest missing one lies. */
HY_INLINE lanes place_skipping(const double *x, const double *bar, size_t n, lanes best) {
  lanes rows = v_zero(), since = v_missing(), missing = v_missing();
  for (size_t k = 0; k < n; k++) {
    const lanes value = v_ago(x, k), place = v_set((double)k);
    const mask is_row = v_ok(v_ago(bar, k));
    rows = v_add_if(is_row, rows, v_set(1.0));
    since = v_sel(v_eq(value, best), place, since);
    missing = v_sel(m_andnot(is_row, v_ok(value)), place, missing);
  }
  return rows - v_sel(v_ok(missing), missing, since);
}

/* Extreme and place of input `input`, its runs in column `column`; the last input is @bar. */
HY_INLINE void highest_place(view v, int input, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const double *const x = v.in[input];
  out[0] = v_highest(v, input, input, n);
  out[1] = v_set(p[0]) - since_oldest(x, n, out[0]);
  const mask gap = is_infinite(out[0]);
  if (!m_rare(gap)) return;
  const known w = known_of(x, n);
  const mask enough = v_ge(w.count, v_set(p[1]));
  out[0] = v_patch(out[0], gap, w.highest, enough);
  out[1] = v_patch(out[1], gap, place_skipping(x, v.in[v.n_in - 1], n, w.highest), enough);
}
HY_INLINE void lowest_place(view v, int input, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const double *const x = v.in[input];
  out[0] = v_lowest(v, input, input, n);
  out[1] = v_set(p[0]) - since_oldest(x, n, out[0]);
  const mask gap = is_infinite(out[0]);
  if (!m_rare(gap)) return;
  const known w = known_of(x, n);
  const mask enough = v_ge(w.count, v_set(p[1]));
  out[0] = v_patch(out[0], gap, w.lowest, enough);
  out[1] = v_patch(out[1], gap, place_skipping(x, v.in[v.n_in - 1], n, w.lowest), enough);
}

HY_INLINE void highest_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_highest(v, 0, 0, n);
  const mask gap = is_infinite(out[0]);
  if (!m_rare(gap)) return;
  const known w = known_of(v.in[0], n);
  out[0] = v_patch(out[0], gap, w.highest, v_ge(w.count, v_set(p[1])));
}
HY_INLINE void lowest_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_lowest(v, 0, 0, n);
  const mask gap = is_infinite(out[0]);
  if (!m_rare(gap)) return;
  const known w = known_of(v.in[0], n);
  out[0] = v_patch(out[0], gap, w.lowest, v_ge(w.count, v_set(p[1])));
}
HY_INLINE void argmax_leaf(view v, const double *p, lanes *out) {
  lanes both[2];
  highest_place(v, 0, p, both);
  out[0] = both[1];
}
HY_INLINE void argmin_leaf(view v, const double *p, lanes *out) {
  lanes both[2];
  lowest_place(v, 0, p, both);
  out[0] = both[1];
}
#define EXTREME(symbol, n_in, n_columns, n_out, block, leaf)                                       \
  static void symbol##_step(const hy__ind_step *s) {                                               \
    tiles_map(s, (tiling){n_in, n_columns, n_out, p_count(s->p, 0), RUN, block, leaf});            \
  }                                                                                                \
  HY_IND_CODE(symbol) = {.step = symbol##_step, .lookback = least, .history = last, .stable = rest}

EXTREME(highest_qlib, 1, 1, 1, high_block, highest_leaf);
EXTREME(lowest_qlib, 1, 1, 1, low_block, lowest_leaf);
EXTREME(argmax_qlib, 2, 1, 1, high_block, argmax_leaf);
EXTREME(argmin_qlib, 2, 1, 1, low_block, argmin_leaf);

/* Both, with their places. Columns: largest, how long ago; smallest, how long ago; the oldest of
 * equals, and a missing value as the infinity that wins. */
HY_INLINE lanes or_low(lanes x) { return v_sel(v_ok(x), x, v_set(-__builtin_inf())); }

HY_INLINE void keep_older(mask better, const lanes *older, lanes ago, lanes *column) {
  column[0] = v_sel(better, older[0], column[0]);
  column[1] = v_sel(better, older[1] + ago, column[1]);
}
HY_INLINE void extreme_base(const double *const *in, size_t n, lanes *column) {
  column[0] = or_high(v_load(in[0]));
  column[2] = or_low(v_load(in[1]));
  column[1] = column[3] = v_zero();
  for (size_t k = 1; k < n; k++) {
    const lanes high[2] = {or_high(v_ago(in[0], k)), v_zero()};
    const lanes low[2] = {or_low(v_ago(in[1], k)), v_zero()}, ago = v_set((double)k);
    keep_older(v_ge(high[0], column[0]), high, ago, column);
    keep_older(v_le(low[0], column[2]), low, ago, column + 2);
  }
}
HY_INLINE void extreme_merge(const lanes *newer, const lanes *older, double n_newer, double n_older,
                             lanes *column) {
  const lanes ago = v_set(n_newer);
  (void)n_older;
  for (int i = 0; i < 4; i++) column[i] = newer[i];
  keep_older(v_ge(older[0], newer[0]), older, ago, column);
  keep_older(v_le(older[2], newer[2]), older + 2, ago, column + 2);
}
HY_INLINE void extreme_leaf(const double *const *in, const double *p, const lanes *c, lanes *out) {
  const size_t n = p_count(p, 0);
  const mask gap[2] = {is_infinite(c[0]), is_infinite(c[2])};
  for (int i = 0; i < 2; i++) {
    out[2 * i] = c[2 * i];
    out[2 * i + 1] = v_set(p[0]) - c[2 * i + 1];
    if (!m_rare(gap[i])) continue;
    const known w = known_of(in[i], n);
    const lanes best = i == 0 ? w.highest : w.lowest;
    const mask enough = v_ge(w.count, v_set(p[1]));
    out[2 * i] = v_patch(out[2 * i], gap[i], best, enough);
    out[2 * i + 1] = v_patch(out[2 * i + 1], gap[i], place_skipping(in[i], in[2], n, best), enough);
  }
}
LADDER(extreme, {3, 4, 4, extreme_base, extreme_merge, extreme_leaf})
HY_IND_CODE(extreme_qlib) = {.step = extreme_step,
                             .group = extreme_group,
                             .lookback = least,
                             .history = last,
                             .stable = rest};
