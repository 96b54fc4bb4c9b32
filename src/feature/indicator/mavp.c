/* SPDX-License-Identifier: Apache-2.0
 * The mean over as many bars as a second series says, bar by bar, within bounds. */
#include "feature/lane.h"

/* p: min, max. Missing while any of the max bars is. */
static size_t longest(const double *p) { return (size_t)HY_MAX(p[0], p[1]); }
static size_t last(const double *p) { return longest(p) - 1; }

HY_INLINE void mavp_row(const double *const *in, const double *p, lanes *out) {
  const size_t most = longest(p);
  const lanes asked = v_load(in[1]), bound = v_set((double)most);
  const lanes held = v_max(v_min(asked, bound), v_set(HY_MIN(p[0], p[1])));
  const lanes n = v_floor(held) + (asked - asked); /* min and max pass a NaN over */
  lanes sum = v_zero(), rest = v_zero();
  for (size_t k = 0; k < most; k++) {
    const lanes x = v_ago(in[0], k);
    const mask within = v_lt(v_set((double)k), n);
    sum = v_add_if(within, sum, x);
    rest += x;
  }
  out[0] = v_keep(v_ok(rest), sum / n);
}
static void mavp_step(const hy__ind_step *s) { rows_map(s, 2, 1, mavp_row); }
HY_IND_CODE(mavp) = {.step = mavp_step, .lookback = last, .history = last};
