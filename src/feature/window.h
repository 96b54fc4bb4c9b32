/* SPDX-License-Identifier: Apache-2.0
 * Leaves over one window, in lanes: x points at the newest row, row k lies k bars before it. The
 * order of every addition is fixed relative to the newest row, so a value depends on its window
 * alone. */
#ifndef HY_FEATURE_WINDOW_H
#define HY_FEATURE_WINDOW_H

#include "feature/lane.h"

/* Row k goes to accumulator k mod 4, then (a0 + a1) + (a2 + a3): four chains hide the adder's
 * latency. */
HY_INLINE lanes w_sum(const double *x, size_t n) {
  lanes a0 = v_zero(), a1 = v_zero(), a2 = v_zero(), a3 = v_zero();
  size_t k = 0;
  for (; k + 4 <= n; k += 4) {
    a0 += v_ago(x, k);
    a1 += v_ago(x, k + 1);
    a2 += v_ago(x, k + 2);
    a3 += v_ago(x, k + 3);
  }
  if (k < n) a0 += v_ago(x, k);
  if (k + 1 < n) a1 += v_ago(x, k + 1);
  if (k + 2 < n) a2 += v_ago(x, k + 2);
  return (a0 + a1) + (a2 + a3);
}

HY_INLINE lanes w_mean(const double *x, size_t n) { return w_sum(x, n) / v_set((double)n); }

/* Weights n, n-1 .. 1 from the newest. */
HY_INLINE lanes w_linear(const double *x, size_t n) {
  lanes a0 = v_zero(), a1 = v_zero();
  double weight = (double)n;
  size_t k = 0;
  for (; k + 2 <= n; k += 2, weight -= 2.0) {
    a0 += v_set(weight) * v_ago(x, k);
    a1 += v_set(weight - 1.0) * v_ago(x, k + 1);
  }
  if (k < n) a0 += v_ago(x, k);
  return (a0 + a1) / v_set((double)n * ((double)n + 1.0) / 2.0);
}

/* First and second sums of x - newest: no level, so nothing cancels. */
typedef struct shifted {
  lanes sum, squares;
} shifted;

HY_INLINE shifted w_shifted(const double *x, size_t n) {
  const lanes newest = v_load(x);
  lanes a0 = v_zero(), a1 = v_zero(), b0 = v_zero(), b1 = v_zero();
  size_t k = 0;
  for (; k + 2 <= n; k += 2) {
    const lanes d0 = v_ago(x, k) - newest, d1 = v_ago(x, k + 1) - newest;
    a0 += d0;
    a1 += d1;
    b0 += d0 * d0;
    b1 += d1 * d1;
  }
  if (k < n) {
    const lanes d = v_ago(x, k) - newest;
    a0 += d;
    b0 += d * d;
  }
  return (shifted){a0 + a1, b0 + b1};
}

HY_INLINE lanes not_negative(lanes a) { return v_sel(v_lt(a, v_zero()), v_zero(), a); }

/* Sum of squared deviations from the mean. A flat window gives exactly 0; since the newest value is
 * in the window, the condition stays below 2n whatever the level. */
HY_INLINE lanes shifted_squares(shifted s, size_t n) {
  return not_negative(s.squares - s.sum * s.sum / v_set((double)n));
}

HY_INLINE lanes w_squares(const double *x, size_t n) { return shifted_squares(w_shifted(x, n), n); }

HY_INLINE lanes w_std(const double *x, size_t n, double ddof) {
  return v_sqrt(w_squares(x, n) / v_set((double)n - ddof));
}

/* The largest and the smallest, NaN where the window holds a NaN (which the sum carries). */
HY_INLINE lanes w_max(const double *x, size_t n) {
  lanes a0 = v_load(x), a1 = a0, s0 = a0, s1 = v_zero();
  size_t k = 1;
  for (; k + 2 <= n; k += 2) {
    const lanes x0 = v_ago(x, k), x1 = v_ago(x, k + 1);
    a0 = v_max(a0, x0);
    a1 = v_max(a1, x1);
    s0 += x0;
    s1 += x1;
  }
  if (k < n) {
    a0 = v_max(a0, v_ago(x, k));
    s0 += v_ago(x, k);
  }
  return v_keep(v_ok(s0 + s1), v_max(a0, a1));
}

HY_INLINE lanes w_min(const double *x, size_t n) {
  lanes a0 = v_load(x), a1 = a0, s0 = a0, s1 = v_zero();
  size_t k = 1;
  for (; k + 2 <= n; k += 2) {
    const lanes x0 = v_ago(x, k), x1 = v_ago(x, k + 1);
    a0 = v_min(a0, x0);
    a1 = v_min(a1, x1);
    s0 += x0;
    s1 += x1;
  }
  if (k < n) {
    a0 = v_min(a0, v_ago(x, k));
    s0 += v_ago(x, k);
  }
  return v_keep(v_ok(s0 + s1), v_min(a0, a1));
}

/* Bars since the largest; the oldest of equals, or the newest. NaN where the window holds a NaN. */
HY_INLINE lanes w_since_max(const double *x, size_t n, bool oldest) {
  lanes best = v_load(x), since = v_zero(), sum = best;
  for (size_t k = 1; k < n; k++) {
    const lanes value = v_ago(x, k);
    const mask better = oldest ? v_le(best, value) : v_lt(best, value);
    best = v_sel(better, value, best);
    since = v_sel(better, v_set((double)k), since);
    sum += value;
  }
  return v_keep(v_ok(sum), since);
}

HY_INLINE lanes w_since_min(const double *x, size_t n, bool oldest) {
  lanes best = v_load(x), since = v_zero(), sum = best;
  for (size_t k = 1; k < n; k++) {
    const lanes value = v_ago(x, k);
    const mask better = oldest ? v_le(value, best) : v_lt(value, best);
    best = v_sel(better, value, best);
    since = v_sel(better, v_set((double)k), since);
    sum += value;
  }
  return v_keep(v_ok(sum), since);
}

/* The look-back of a window over p[i] bars. */
HY_INLINE size_t last_of(const double *p, int i) { return (size_t)p[i] - 1; }

#endif
