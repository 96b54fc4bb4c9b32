/* SPDX-License-Identifier: Apache-2.0
 * The mean over as many bars as a second series says, bar by bar, within bounds. */
#include "feature/lane/window.h"

/* p: min, max. Missing while any of the max bars is. */
static size_t longest(const double *p) { return (size_t)HY_MAX(p[0], p[1]); }
static size_t last(const double *p) { return longest(p) - 1; }

/* Whole blocks, and the rows of the block that the lane's own window ends in. */
HY_INLINE void mavp_leaf(view v, const double *p, lanes *out) {
  const size_t most = longest(p);
  const lanes asked = v_load(v.in[1]), least = v_set(HY_MIN(p[0], p[1]));
  const lanes held = v_max(v_min(asked, v_set((double)most)), least);
  const lanes n = v_floor(held) + (asked - asked); /* min and max pass a NaN over */
  lanes sum = v_zero(), all = v_zero(), c[COLUMNS];
  for (size_t k = 0; k < most; k += BLOCK) {
    const size_t rows = HY_MIN(most - k, (size_t)BLOCK);
    const mask whole = v_le(v_set((double)(k + BLOCK)), n);
    mask part = m_andnot(v_lt(v_set((double)k), n), whole);
    if (rows == BLOCK) {
      fetch(v, k, c);
      sum = v_add_if(whole, sum, c[0]);
      all += c[0];
    }
    for (size_t r = 0; r < rows && (rows < BLOCK || m_any(part)); r++) {
      const lanes x = v_ago(v.in[0], k + r);
      part = m_and(part, v_lt(v_set((double)(k + r)), n));
      sum = v_add_if(part, sum, x);
      if (rows < BLOCK) all += x;
    }
  }
  out[0] = v_keep(v_ok(all), sum / n);
}
static void mavp_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){2, 1, 1, longest(s->p), BLOCK, sum_block, mavp_leaf});
}
HY_IND_CODE(mavp) = {.step = mavp_step, .lookback = last, .history = last};
