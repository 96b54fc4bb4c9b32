/* SPDX-License-Identifier: Apache-2.0
 * Skewness and kurtosis over one window, bias-corrected as pandas and most statistics packages do.
 */
#include "feature/window.h"

static size_t last(const double *p) { return last_of(p, 0); }

/* Sums of the 2nd, 3rd and 4th power of the deviation from the mean; two passes, since powers of a
 * shift cancel. */
typedef struct powers {
  lanes two, three, four;
} powers;

HY_INLINE powers w_powers(const double *x, size_t n) {
  const spread s = w_spread(x, n);
  powers even = {v_zero(), v_zero(), v_zero()}, odd = even;
  for (size_t k = 0; k < n; k++) {
    powers *const to = k % 2 == 0 ? &even : &odd;
    const lanes d = (v_ago(x, k) - s.level) - s.offset, dd = d * d;
    to->two += dd;
    to->three += dd * d;
    to->four += dd * dd;
  }
  return (powers){even.two + odd.two, even.three + odd.three, even.four + odd.four};
}

static void skew_row(const double *const *in, const double *p, lanes *out) {
  const double n = p[0], scale = n > 2.0 ? __builtin_sqrt(n - 1.0) * n / (n - 2.0) : 0.0;
  const powers m = w_powers(in[0], p_count(p, 0));
  out[0] = v_ratio(v_set(scale) * m.three, m.two * v_sqrt(m.two), v_missing());
}
static void skew_step(const hy__ind_step *s) { rows_map(s, 1, 1, skew_row); }
HY_IND_CODE(skew) = {.step = skew_step, .lookback = last, .history = last};

static void kurt_row(const double *const *in, const double *p, lanes *out) {
  const double n = p[0], below = (n - 2.0) * (n - 3.0);
  const double scale = n * (n + 1.0) * (n - 1.0) / below,
               less = 3.0 * (n - 1.0) * (n - 1.0) / below;
  const powers m = w_powers(in[0], p_count(p, 0));
  out[0] = v_ratio(v_set(scale) * m.four, m.two * m.two, v_missing()) - v_set(less);
}
static void kurt_step(const hy__ind_step *s) { rows_map(s, 1, 1, kurt_row); }
HY_IND_CODE(kurt) = {.step = kurt_step, .lookback = last, .history = last};
