/* SPDX-License-Identifier: Apache-2.0
 * Leaves over one window of a series, newest row first, in blocks of four. The order of every
 * addition is fixed relative to the newest row. Those with a view run in tiles; the same of a bare
 * series are for windows over derived rows (nest.h). */
#ifndef HY_FEATURE_WINDOW_H
#define HY_FEATURE_WINDOW_H

#include "feature/lane/block.h"

/* The look-back of a window over p[i] bars. */
HY_INLINE size_t last_of(const double *p, int i) { return (size_t)p[i] - 1; }

/* Column 0: the sum of four rows. */
HY_INLINE void sum_block(const double *const *in, lanes *column) {
  const double *const x = in[0];
  column[0] = (v_load(x) + v_ago(x, 1)) + (v_ago(x, 2) + v_ago(x, 3));
}

/* Leaves over the usual windows are compiled with the window as a constant, without loops; this is
 * the same written form, so the same bits. */
#define USUAL_WINDOWS(n, call)                                                                     \
  switch (n) {                                                                                     \
  case 5: return call(5);                                                                          \
  case 10: return call(10);                                                                        \
  case 14: return call(14);                                                                        \
  case 20: return call(20);                                                                        \
  case 30: return call(30);                                                                        \
  case 60: return call(60);                                                                        \
  default: return call(n);                                                                         \
  }

/* The sum of four rows of input `input`, the newest k bars ago, which stands in `column` of a tile:
 * fetch() for this one column, without a function that the compiler may fail to see through. */
HY_INLINE lanes four_of(view v, int input, int column, size_t k) {
  if (v.tile != NULL) return tile_load(v, k, column);
  const double *const x = v.in[input] - k * HY_LANES;
  lanes sum;
  sum_block(&x, &sum);
  return sum;
}

/* Two chains of blocks, then what is left; of input `input`, whose blocks stand in `column`. */
HY_INLINE lanes sum_of(view v, int input, int column, size_t n) {
  lanes a0 = v_zero(), a1 = v_zero();
  size_t k = 0;
  for (; k + 2 * BLOCK <= n; k += 2 * BLOCK) {
    a0 += four_of(v, input, column, k);
    a1 += four_of(v, input, column, k + BLOCK);
  }
  if (k + BLOCK <= n) {
    a0 += four_of(v, input, column, k);
    k += BLOCK;
  }
  for (size_t r = 0; r < n % BLOCK; r++, k++) a1 += v_ago(v.in[input], k);
  return a0 + a1;
}

#define CALL(window) sum_of(v, input, column, window)
HY_INLINE lanes v_sum_at(view v, int input, int column, size_t n) { USUAL_WINDOWS(n, CALL); }
#undef CALL
HY_INLINE lanes v_sum(view v, size_t n) { return v_sum_at(v, 0, 0, n); }

HY_INLINE lanes w_sum(const double *x, size_t n) { return v_sum(view_of(x, sum_block, 1), n); }
HY_INLINE lanes w_mean(const double *x, size_t n) { return w_sum(x, n) / v_set((double)n); }

/* The sums of four rows of several inputs, a column each. */
HY_INLINE void two_sums(const double *const *in, lanes *column) {
  sum_block(in, column);
  sum_block(in + 1, column + 1);
}
HY_INLINE void three_sums(const double *const *in, lanes *column) {
  two_sums(in, column);
  sum_block(in + 2, column + 2);
}

/* Column 1: the sum of squared deviations of four rows from their mean, by pairs of pairs, so that
 * nothing cancels and a flat block has exactly 0. Column 2: the rows weighted 1.5, 0.5, -0.5, -1.5.
 */
HY_INLINE void spread_block(const double *const *in, lanes *column) {
  const double *const x = in[0];
  const lanes x0 = v_load(x), x1 = v_ago(x, 1), x2 = v_ago(x, 2), x3 = v_ago(x, 3);
  const lanes s01 = x0 + x1, s23 = x2 + x3, d01 = x0 - x1, d23 = x2 - x3, d = s01 - s23;
  column[0] = s01 + s23;
  column[1] = v_set(0.5) * (d01 * d01 + d23 * d23) + v_set(0.25) * (d * d);
}
HY_INLINE void fit_block(const double *const *in, lanes *column) {
  const double *const x = in[0];
  spread_block(in, column);
  column[2] = v_set(1.5) * (v_load(x) - v_ago(x, 3)) + v_set(0.5) * (v_ago(x, 1) - v_ago(x, 2));
}
HY_INLINE void tilt_block(const double *const *in, lanes *column) {
  const double *const x = in[0];
  sum_block(in, column);
  column[1] = v_set(1.5) * (v_load(x) - v_ago(x, 3)) + v_set(0.5) * (v_ago(x, 1) - v_ago(x, 2));
}

HY_INLINE lanes not_negative(lanes a) { return v_sel(v_lt(a, v_zero()), v_zero(), a); }

/* The level that sums are taken relative to: the mean of the newest block, or the newest value. It
 * is made of values of the window, so it is near their mean on the scale of their spread, and a
 * flat window has differences of exactly 0. */
HY_INLINE lanes v_level(view v, size_t n) {
  lanes c[COLUMNS];
  if (n < BLOCK) return v_load(v.in[0]);
  fetch(v, 0, c);
  return c[0] * v_set(0.25);
}

/* The mean relative to a level, and the sum of squared deviations from it. */
typedef struct spread {
  lanes level, offset, squares;
} spread;

HY_INLINE spread spread_of(view v, size_t n) {
  const lanes level = v_level(v, n), level4 = level * v_set(4.0);
  lanes sum = v_zero(), between = v_zero(), within = v_zero(), c[COLUMNS];
  size_t k = 0;
  for (; k + BLOCK <= n; k += BLOCK) {
    fetch(v, k, c);
    const lanes d = c[0] - level4;
    sum += d;
    between += d * d;
    within += c[1];
  }
  between = v_set(0.25) * between;
  for (size_t r = 0; r < n % BLOCK; r++, k++) {
    const lanes d = v_ago(v.in[0], k) - level;
    sum += d;
    between += d * d;
  }
  const lanes offset = sum / v_set((double)n);
  return (spread){level, offset, within + not_negative(between - sum * offset)};
}

#define CALL(window) spread_of(v, window)
HY_INLINE spread v_spread(view v, size_t n) { USUAL_WINDOWS(n, CALL); }
#undef CALL

HY_INLINE lanes v_mean(spread s) { return s.level + s.offset; }
HY_INLINE lanes v_std(spread s, double n, double ddof) {
  return v_sqrt(s.squares / v_set(n - ddof));
}
HY_INLINE spread w_spread(const double *x, size_t n) {
  return v_spread(view_of(x, spread_block, 2), n);
}

/* Weights n, n-1 .. 1 from the newest; tilt_block. */
HY_INLINE lanes linear_of(view v, size_t n) {
  lanes a0 = v_zero(), a1 = v_zero(), c[COLUMNS];
  double weight = (double)n;
  size_t k = 0;
  for (; k + BLOCK <= n; k += BLOCK, weight -= BLOCK) {
    fetch(v, k, c);
    a0 += v_set(weight - 1.5) * c[0];
    a1 += c[1];
  }
  for (size_t r = 0; r < n % BLOCK; r++, k++, weight -= 1.0)
    a0 += v_set(weight) * v_ago(v.in[0], k);
  return (a0 + a1) / v_set((double)n * ((double)n + 1.0) / 2.0);
}
#define CALL(window) linear_of(v, window)
HY_INLINE lanes v_linear(view v, size_t n) { USUAL_WINDOWS(n, CALL); }
#undef CALL
HY_INLINE lanes w_linear(const double *x, size_t n) {
  return v_linear(view_of(x, tilt_block, 2), n);
}

/* Blocks of eight for extremes, which may overlap. A missing value stands as the infinity that
 * wins, which v_fin makes missing again. */
enum { RUN = 8 };

HY_INLINE lanes or_high(lanes x) { return v_sel(v_ok(x), x, v_set(__builtin_inf())); }

/* The largest of n neighbours; their sum says whether one is missing. */
HY_INLINE lanes max_run(const double *x, size_t n) {
  lanes a = v_load(x), sum = a;
  for (size_t k = 1; k < n; k++) {
    a = v_max(a, v_ago(x, k));
    sum += v_ago(x, k);
  }
  return v_sel(v_ok(sum), a, v_set(__builtin_inf()));
}
HY_INLINE lanes min_run(const double *x, size_t n) {
  lanes a = v_load(x), sum = a;
  for (size_t k = 1; k < n; k++) {
    a = v_min(a, v_ago(x, k));
    sum += v_ago(x, k);
  }
  return v_sel(v_ok(sum), a, v_set(-__builtin_inf()));
}

/* Extremes of input `input` whose runs stand in column `column`. */
HY_INLINE lanes highest_of(view v, int input, int column, size_t n) {
  lanes c[COLUMNS];
  if (n < RUN) return max_run(v.in[input], n);
  fetch(v, n - RUN, c);
  lanes best = c[column];
  for (size_t k = 0; k + RUN < n; k += RUN) {
    fetch(v, k, c);
    best = v_max(best, c[column]);
  }
  return best;
}
#define CALL(window) highest_of(v, input, column, window)
HY_INLINE lanes v_highest(view v, int input, int column, size_t n) { USUAL_WINDOWS(n, CALL); }
#undef CALL
HY_INLINE lanes lowest_of(view v, int input, int column, size_t n) {
  lanes c[COLUMNS];
  if (n < RUN) return min_run(v.in[input], n);
  fetch(v, n - RUN, c);
  lanes best = c[column];
  for (size_t k = 0; k + RUN < n; k += RUN) {
    fetch(v, k, c);
    best = v_min(best, c[column]);
  }
  return best;
}
#define CALL(window) lowest_of(v, input, column, window)
HY_INLINE lanes v_lowest(view v, int input, int column, size_t n) { USUAL_WINDOWS(n, CALL); }
#undef CALL

HY_INLINE void max_block(const double *const *in, lanes *column) {
  column[0] = max_run(in[0], RUN);
}
HY_INLINE void min_block(const double *const *in, lanes *column) {
  column[0] = min_run(in[0], RUN);
}
/* Column 0 the largest of input 0, column 1 the smallest of input 1. */
HY_INLINE void channel_block(const double *const *in, lanes *column) {
  column[0] = max_run(in[0], RUN);
  column[1] = min_run(in[1], RUN);
}
HY_INLINE lanes w_max(const double *x, size_t n) {
  return v_highest(view_of(x, max_block, 1), 0, 0, n);
}
HY_INLINE lanes w_min(const double *x, size_t n) {
  return v_lowest(view_of(x, min_block, 1), 0, 0, n);
}

/* Bars since the value of the window that equals `best`: of equals the oldest, or the newest.
 * Missing where best is no number. */
HY_INLINE lanes since_oldest(const double *x, size_t n, lanes best) {
  lanes since = v_missing();
  for (size_t k = 0; k < n; k++) since = v_sel(v_eq(v_ago(x, k), best), v_set((double)k), since);
  return since;
}
HY_INLINE lanes since_newest(const double *x, size_t n, lanes best) {
  lanes since = v_missing();
  for (size_t k = n; k-- > 0;) since = v_sel(v_eq(v_ago(x, k), best), v_set((double)k), since);
  return since;
}

#endif
