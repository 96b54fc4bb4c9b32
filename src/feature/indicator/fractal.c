/* SPDX-License-Identifier: Apache-2.0
 * Williams' fractals: a bar that stands out from those beside it, said as many bars later as must
 * have closed on its right. Inputs: high, low; p: left, right. Outputs: high, low. */
#include "feature/lane/lane.h"

static size_t last(const double *p) { return p_count(p, 0) + p_count(p, 1); }

/* Whether x[right] is above all other rows of the window; the sum of the window says whether one is
 * missing. */
HY_INLINE lanes stands_out(const double *x, size_t right, size_t n, double sign) {
  const lanes centre = v_set(sign) * v_ago(x, right);
  lanes most = v_set(-__builtin_inf()), sum = centre - centre;
  for (size_t k = 0; k < n; k++) {
    const lanes other = v_set(sign) * v_ago(x, k);
    sum += other - other;
    if (k != right) most = v_max(other, most);
  }
  return v_only(v_lt(most, centre), v_set(100.0)) + sum;
}
HY_INLINE void fractal_row(const double *const *in, const double *p, lanes *out) {
  const size_t right = p_count(p, 1), n = last(p) + 1;
  out[0] = stands_out(in[0], right, n, 1.0);
  out[1] = stands_out(in[1], right, n, -1.0);
}
static void fractal_step(const hy__ind_step *s) { rows_map(s, 2, 2, fractal_row); }
HY_IND_CODE(fractal) = {.step = fractal_step, .lookback = last, .history = last};
