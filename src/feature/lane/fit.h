/* SPDX-License-Identifier: Apache-2.0
 * The least-squares line through one window, positions 0 (oldest) to n-1. */
#ifndef HY_FEATURE_FIT_H
#define HY_FEATURE_FIT_H

#include "feature/lane/window.h"

/* The mean relative to a level, the slope, and the sum of squared deviations. */
typedef struct fit {
  lanes level, offset, slope, squares;
  double reach, spread; /* the newest position from the middle; sum of squared positions */
} fit;

/* Each block counts by its tilt and, at its middle's position, by its sum. */
HY_INLINE fit v_fit(view v, size_t n) {
  const double reach = ((double)n - 1.0) / 2.0;
  const double positions = (double)n * ((double)n * (double)n - 1.0) / 12.0;
  const lanes level = v_level(v, n), level4 = level * v_set(4.0);
  lanes sum = v_zero(), between = v_zero(), within = v_zero(), tilt = v_zero(), c[COLUMNS];
  double place = reach;
  size_t k = 0;
  for (; k + BLOCK <= n; k += BLOCK, place -= BLOCK) {
    fetch(v, k, c);
    const lanes d = c[0] - level4;
    sum += d;
    between += d * d;
    within += c[1];
    tilt += c[2] + v_set(place - 1.5) * d;
  }
  between = v_set(0.25) * between;
  for (size_t r = 0; r < n % BLOCK; r++, k++, place -= 1.0) {
    const lanes d = v_ago(v.in[0], k) - level;
    sum += d;
    between += d * d;
    tilt += v_set(place) * d;
  }
  const lanes offset = sum / v_set((double)n);
  const lanes slope = tilt / v_set(positions); /* 0 / 0, so missing, for one value */
  const lanes squares = within + not_negative(between - sum * offset);
  return (fit){level, offset, slope, squares, reach, positions};
}

/* The line at `ahead` bars past the newest, relative to the level. */
HY_INLINE lanes line(fit f, double ahead) { return f.offset + f.slope * v_set(f.reach + ahead); }

#endif
