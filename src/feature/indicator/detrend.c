/* SPDX-License-Identifier: Apache-2.0
 * A value against what its window expected: the detrended price of some bars ago, which is known
 * now, and the newest value against the line through those before it. */
#include "feature/lane/fit.h"

/* x[n/2+1] less the mean of the n newest. (The centred form reads bars to come.) */
static size_t dpo_back(const double *p) { return p_count(p, 0) / 2 + 1; }
static size_t dpo_last(const double *p) { return HY_MAX(last_of(p, 0), dpo_back(p)); }
HY_INLINE void dpo_leaf(view v, const double *p, lanes *out) {
  out[0] = v_ago(v.in[0], dpo_back(p)) - v_sum(v, p_count(p, 0)) / v_set(p[0]);
}
static void dpo_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 1, 1, p_count(s->p, 0), BLOCK, sum_block, dpo_leaf});
}
HY_IND_CODE(dpo_causal) = {.step = dpo_step, .lookback = dpo_last, .history = dpo_last};

/* The line through the n bars before the newest, at the newest. */
static size_t window(const double *p) { return p_count(p, 0); }
HY_INLINE void fosc_leaf(view v, const double *p, lanes *out) {
  const fit f = v_fit(v, p_count(p, 0));
  const lanes x = v_load(v.in[0] + HY_LANES), missed = (x - f.level) - line(f, 1.0);
  out[0] = v_ratio(v_set(100.0) * missed, x, v_zero());
}
static void fosc_step(const hy__ind_step *s) {
  hy__ind_step before = *s;
  before.in[0] -= HY_LANES;
  tiles_map(&before, (tiling){1, 3, 1, p_count(s->p, 0), BLOCK, fit_block, fosc_leaf});
}
HY_IND_CODE(fosc) = {.step = fosc_step, .lookback = window, .history = window};
