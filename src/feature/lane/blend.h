/* SPDX-License-Identifier: Apache-2.0
 * Parts of ladders: means and squared deviations from them, of one series or two, with their tilt
 * in time. Means are kept, not sums: two equal ones give themselves, so that a flat window has
 * deviations of exactly 0. */
#ifndef HY_FEATURE_BLEND_H
#define HY_FEATURE_BLEND_H

#include "feature/lane/ladder.h"

HY_INLINE void total_base(const double *const *in, size_t n, lanes *column) {
  lanes sum = v_load(in[0]);
  for (size_t k = 1; k < n; k++) sum += v_ago(in[0], k);
  column[0] = sum;
}
HY_INLINE void total_merge(const lanes *newer, const lanes *older, double n_newer, double n_older,
                           lanes *column) {
  (void)n_newer, (void)n_older;
  column[0] = newer[0] + older[0];
}

/* Columns: mean, squared deviations, tilt: the sum of values times places from the middle, the
 * newest's above. */
HY_INLINE void line_base(const double *const *in, size_t n, lanes *column) {
  const lanes level = v_load(in[0]);
  lanes sum = v_zero(), squares = v_zero(), tilt = v_zero();
  for (size_t k = 1; k < n; k++) {
    const lanes d = v_ago(in[0], k) - level;
    sum += d;
    squares += d * d;
    tilt += v_set(0.5 * ((double)n - 1.0) - (double)k) * d;
  }
  const lanes offset = sum * v_set(1.0 / (double)n), rest = squares - sum * offset;
  column[0] = level + offset;
  column[1] = v_sel(v_lt(rest, v_zero()), v_zero(), rest);
  column[2] = tilt;
}
HY_INLINE void line_merge(const lanes *newer, const lanes *older, double n_newer, double n_older,
                          lanes *column) {
  const double n = n_newer + n_older, both = n_newer * n_older;
  const lanes d = older[0] - newer[0];
  column[0] = newer[0] + d * v_set(n_older / n);
  column[1] = (newer[1] + older[1]) + d * d * v_set(both / n);
  column[2] = (newer[2] + older[2]) - d * v_set(0.5 * both);
}

HY_INLINE void spread_base(const double *const *in, size_t n, lanes *column) {
  lanes all[3];
  line_base(in, n, all);
  column[0] = all[0];
  column[1] = all[1];
}
HY_INLINE void spread_merge(const lanes *newer, const lanes *older, double n_newer, double n_older,
                            lanes *column) {
  const double n = n_newer + n_older;
  const lanes d = older[0] - newer[0];
  column[0] = newer[0] + d * v_set(n_older / n);
  column[1] = (newer[1] + older[1]) + d * d * v_set(n_newer * n_older / n);
}

/* Columns: means of x and y, their squared deviations, products of deviations. */
HY_INLINE void pairs_base(const double *const *in, size_t n, lanes *column) {
  const lanes x0 = v_load(in[0]), y0 = v_load(in[1]), share = v_set(1.0 / (double)n);
  lanes x = v_zero(), y = v_zero(), xx = v_zero(), yy = v_zero(), xy = v_zero();
  for (size_t k = 1; k < n; k++) {
    const lanes dx = v_ago(in[0], k) - x0, dy = v_ago(in[1], k) - y0;
    x += dx;
    y += dy;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  const lanes mean_x = x * share, mean_y = y * share;
  const lanes rest_x = xx - x * mean_x, rest_y = yy - y * mean_y;
  column[0] = x0 + mean_x;
  column[1] = y0 + mean_y;
  column[2] = v_sel(v_lt(rest_x, v_zero()), v_zero(), rest_x);
  column[3] = v_sel(v_lt(rest_y, v_zero()), v_zero(), rest_y);
  column[4] = xy - x * mean_y;
}
HY_INLINE void pairs_merge(const lanes *newer, const lanes *older, double n_newer, double n_older,
                           lanes *column) {
  const lanes share = v_set(n_older / (n_newer + n_older));
  const lanes weight = v_set(n_newer * n_older / (n_newer + n_older));
  const lanes dx = older[0] - newer[0], dy = older[1] - newer[1], wx = weight * dx;
  column[0] = newer[0] + dx * share;
  column[1] = newer[1] + dy * share;
  column[2] = (newer[2] + older[2]) + wx * dx;
  column[3] = (newer[3] + older[3]) + weight * dy * dy;
  column[4] = (newer[4] + older[4]) + wx * dy;
}

#endif
