/* SPDX-License-Identifier: Apache-2.0
 * Skewness and kurtosis over one window, bias-corrected as pandas and most statistics packages do.
 */
#include "feature/lane/window.h"

static size_t last(const double *p) { return last_of(p, 0); }

/* Columns: the sum of four rows, then the sums of the 2nd, 3rd and 4th powers of their deviations
 * from the block's mean. */
HY_INLINE void power_block(const double *const *in, lanes *column) {
  const double *const x = in[0];
  const lanes x0 = v_load(x), x1 = v_ago(x, 1), x2 = v_ago(x, 2), x3 = v_ago(x, 3);
  const lanes sum = (x0 + x1) + (x2 + x3), mean = sum * v_set(0.25);
  const lanes d0 = x0 - mean, d1 = x1 - mean, d2 = x2 - mean, d3 = x3 - mean;
  const lanes e0 = d0 * d0, e1 = d1 * d1, e2 = d2 * d2, e3 = d3 * d3;
  column[0] = sum;
  column[1] = (e0 + e1) + (e2 + e3);
  column[2] = (e0 * d0 + e1 * d1) + (e2 * d2 + e3 * d3);
  column[3] = (e0 * e0 + e1 * e1) + (e2 * e2 + e3 * e3);
}

typedef struct powers {
  lanes two, three, four;
} powers;

/* The mean relative to the newest block's. */
HY_INLINE lanes v_offset(view v, size_t n, lanes level) {
  const lanes level4 = level * v_set(4.0);
  lanes sum = v_zero(), c[COLUMNS];
  size_t k = 0;
  for (; k + BLOCK <= n; k += BLOCK) {
    fetch(v, k, c);
    sum += c[0] - level4;
  }
  for (size_t r = 0; r < n % BLOCK; r++, k++) sum += v_ago(v.in[0], k) - level;
  return sum / v_set((double)n);
}

/* Sums of powers of the deviation from the window's mean: each block's own, carried to that mean
 * (Chan, Golub and LeVeque's update, of blocks in place of values). */
HY_INLINE powers v_powers(view v, size_t n) {
  const lanes level = v_level(v, n), offset = v_offset(v, n, level);
  powers m = {v_zero(), v_zero(), v_zero()};
  lanes c[COLUMNS];
  size_t k = 0;
  for (; k + BLOCK <= n; k += BLOCK) {
    fetch(v, k, c);
    const lanes d = (c[0] * v_set(0.25) - level) - offset, dd = v_set(4.0) * (d * d);
    m.two += c[1] + dd;
    m.three += c[2] + d * (v_set(3.0) * c[1] + dd);
    m.four += c[3] + d * (v_set(4.0) * c[2] + d * (v_set(6.0) * c[1] + dd));
  }
  for (size_t r = 0; r < n % BLOCK; r++, k++) {
    const lanes d = (v_ago(v.in[0], k) - level) - offset, dd = d * d;
    m.two += dd;
    m.three += dd * d;
    m.four += dd * dd;
  }
  return m;
}

HY_INLINE void skew_leaf(view v, const double *p, lanes *out) {
  const double n = p[0], scale = n > 2.0 ? __builtin_sqrt(n - 1.0) * n / (n - 2.0) : 0.0;
  const powers m = v_powers(v, p_count(p, 0));
  out[0] = v_ratio(v_set(scale) * m.three, m.two * v_sqrt(m.two), v_missing());
}
static void skew_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 3, 1, p_count(s->p, 0), BLOCK, power_block, skew_leaf});
}
HY_IND_CODE(skew) = {.step = skew_step, .lookback = last, .history = last};

HY_INLINE void kurt_leaf(view v, const double *p, lanes *out) {
  const double n = p[0], below = (n - 2.0) * (n - 3.0);
  const double scale = n * (n + 1.0) * (n - 1.0) / below;
  const powers m = v_powers(v, p_count(p, 0));
  out[0] = v_ratio(v_set(scale) * m.four, m.two * m.two, v_missing()) -
           v_set(3.0 * (n - 1.0) * (n - 1.0) / below);
}
static void kurt_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 4, 1, p_count(s->p, 0), BLOCK, power_block, kurt_leaf});
}
HY_IND_CODE(kurt) = {.step = kurt_step, .lookback = last, .history = last};
