/* SPDX-License-Identifier: Apache-2.0
 * How two series vary together over one window. */
#ifndef HY_FEATURE_COMOMENT_H
#define HY_FEATURE_COMOMENT_H

#include "feature/lane/window.h"

/* Columns: the sums of four rows of x and of y, then the sums of squares and of products of their
 * deviations from the block's means, by pairs of pairs. */
HY_INLINE lanes inner_product(const lanes *a, const lanes *b) {
  return v_set(0.5) * (a[0] * b[0] + a[1] * b[1]) + v_set(0.25) * (a[2] * b[2]);
}
HY_INLINE lanes differences(const double *x, lanes *d) {
  const lanes x0 = v_load(x), x1 = v_ago(x, 1), x2 = v_ago(x, 2), x3 = v_ago(x, 3);
  const lanes s01 = x0 + x1, s23 = x2 + x3;
  d[0] = x0 - x1;
  d[1] = x2 - x3;
  d[2] = s01 - s23;
  return s01 + s23;
}
HY_INLINE void pair_block(const double *const *in, lanes *column) {
  lanes dx[3], dy[3];
  column[0] = differences(in[0], dx);
  column[1] = differences(in[1], dy);
  column[2] = inner_product(dx, dx);
  column[3] = inner_product(dy, dy);
  column[4] = inner_product(dx, dy);
}

/* Sums of squares and of products of the deviations from the means. */
typedef struct comoments {
  lanes xx, yy, xy;
} comoments;

HY_INLINE comoments v_comoments(view v, size_t n) {
  lanes c[COLUMNS], x0 = v_load(v.in[0]), y0 = v_load(v.in[1]);
  lanes sx = v_zero(), sy = v_zero(), sxx = v_zero(), syy = v_zero(), sxy = v_zero();
  lanes wxx = v_zero(), wyy = v_zero(), wxy = v_zero();
  if (n >= BLOCK) {
    fetch(v, 0, c);
    x0 = c[0] * v_set(0.25);
    y0 = c[1] * v_set(0.25);
  }
  size_t k = 0;
  for (; k + BLOCK <= n; k += BLOCK) {
    fetch(v, k, c);
    const lanes dx = c[0] - x0 * v_set(4.0), dy = c[1] - y0 * v_set(4.0);
    sx += dx;
    sy += dy;
    sxx += dx * dx;
    syy += dy * dy;
    sxy += dx * dy;
    wxx += c[2];
    wyy += c[3];
    wxy += c[4];
  }
  sxx = v_set(0.25) * sxx, syy = v_set(0.25) * syy, sxy = v_set(0.25) * sxy;
  for (size_t r = 0; r < n % BLOCK; r++, k++) {
    const lanes dx = v_ago(v.in[0], k) - x0, dy = v_ago(v.in[1], k) - y0;
    sx += dx;
    sy += dy;
    sxx += dx * dx;
    syy += dy * dy;
    sxy += dx * dy;
  }
  const lanes share = v_set(1.0 / (double)n), mean_x = sx * share, mean_y = sy * share;
  return (comoments){wxx + not_negative(sxx - sx * mean_x), wyy + not_negative(syy - sy * mean_y),
                     wxy + (sxy - sx * mean_y)};
}

/* Missing where either is flat; rounding does not leave [-1, 1]. */
HY_INLINE lanes correlation(comoments m) {
  const lanes r = v_ratio(m.xy, v_sqrt(m.xx) * v_sqrt(m.yy), v_missing());
  const lanes low = v_sel(v_lt(r, v_set(-1.0)), v_set(-1.0), r);
  return v_sel(v_lt(v_set(1.0), low), v_set(1.0), low);
}

#endif
