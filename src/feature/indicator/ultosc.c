/* SPDX-License-Identifier: Apache-2.0
 * Williams' ultimate oscillator. Inputs: high, low, close; p: three windows. */
#include "feature/lane/nest.h"
#include "feature/lane/window.h"

static size_t longest(const double *p) { return (size_t)HY_MAX(p[0], HY_MAX(p[1], p[2])); }

/* Buying pressure C - TL and the true range, TL the lower of the low and the close before. */
HY_INLINE void ultosc_inner(const double *const *in, const double *p, lanes *out) {
  const lanes high = v_load(in[0]), low = v_load(in[1]), close = v_load(in[2]);
  const lanes before = v_ago(in[2], 1), missing = (high - high) + (before - before);
  (void)p;
  out[0] = close - v_min(low, before) + missing;
  out[1] = v_max(high - low, v_max(v_abs(high - before), v_abs(low - before))) + (out[0] - out[0]);
}

HY_INLINE lanes pressure(view v, double n) {
  const size_t bars = (size_t)n;
  return v_ratio(v_sum_at(v, 0, 0, bars), v_sum_at(v, 1, 1, bars), v_zero());
}

/* The shortest window weighs 4, the longest 1, in whatever order they are given. */
HY_INLINE void ultosc_leaf(view v, const double *p, lanes *out) {
  const double low = HY_MIN(p[0], HY_MIN(p[1], p[2])), high = (double)longest(p);
  const double middle = p[0] + p[1] + p[2] - low - high;
  const lanes sum = v_set(4.0) * pressure(v, low) + v_set(2.0) * pressure(v, middle);
  out[0] = (sum + pressure(v, high)) * v_set(100.0 / 7.0);
}
static void ultosc_step(const hy__ind_step *s) {
  const size_t n = longest(s->p);
  const hy__ind_step over = nest_fill(s, (nest){3, 2, 1, n, ultosc_inner, NULL});
  tiles_map(&over, (tiling){2, 2, 1, n, BLOCK, two_sums, ultosc_leaf});
}
HY_IND_CODE(ultosc) = {.step = ultosc_step,
                       .lookback = longest,
                       .history = longest,
                       .state_bytes = nest_bytes,
                       .n_mid = 2,
                       .mid_rows = longest};
