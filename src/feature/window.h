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

/* Sum of squared deviations from the mean, by sums shifted to the newest value: a flat window gives
 * exactly 0, and the condition stays below 2n whatever the level. */
HY_INLINE lanes w_squares(const double *x, size_t n) {
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
  const lanes s1 = a0 + a1, ss = (b0 + b1) - s1 * s1 / v_set((double)n);
  return v_sel(v_lt(ss, v_zero()), v_zero(), ss);
}

HY_INLINE lanes w_std(const double *x, size_t n, double ddof) {
  return v_sqrt(w_squares(x, n) / v_set((double)n - ddof));
}

/* Look-backs that many rows share; p[0] is the window. */
HY_INLINE size_t last_of(const double *p, int i) { return (size_t)p[i] - 1; }

#endif
