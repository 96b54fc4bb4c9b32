/* SPDX-License-Identifier: Apache-2.0
 * The commodity channel and the mean absolute deviation that it is measured in. */
#include "feature/lane/nest.h"
#include "feature/lane/window.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

/* Mean distance from `mean`. */
HY_INLINE lanes mean_distance(const double *x, size_t n, lanes mean) {
  lanes a0 = v_zero(), a1 = v_zero();
  size_t k = 0;
  for (; k + 2 <= n; k += 2) {
    a0 += v_abs(v_ago(x, k) - mean);
    a1 += v_abs(v_ago(x, k + 1) - mean);
  }
  if (k < n) a0 += v_abs(v_ago(x, k) - mean);
  return (a0 + a1) / v_set((double)n);
}

/* The mean as the newest value and the mean of the differences to it, so that a flat window has no
 * deviation at all. */
HY_INLINE lanes mean_offset(const double *x, size_t n) {
  const spread s = w_spread(x, n);
  return (s.level - v_load(x)) + s.offset;
}

HY_INLINE void mad_mean_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = mean_distance(in[0], n, v_load(in[0]) + mean_offset(in[0], n));
}
static void mad_mean_step(const hy__ind_step *s) { rows_map(s, 1, 1, mad_mean_row); }
HY_IND_CODE(mad_mean) = {.step = mad_mean_step, .lookback = last, .history = last};

/* Inputs: high, low, close. */
HY_INLINE void cci_inner(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = (v_load(in[0]) + v_load(in[1]) + v_load(in[2])) / v_set(3.0);
}
HY_INLINE void cci_outer(const double *const *mid, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes offset = mean_offset(mid[0], n);
  const lanes distance = mean_distance(mid[0], n, v_load(mid[0]) + offset);
  out[0] = v_ratio(v_zero() - offset, v_set(0.015) * distance, v_zero());
}
static void cci_step(const hy__ind_step *s) {
  nest_map(s, (nest){3, 1, 1, p_count(s->p, 0), cci_inner, cci_outer});
}
HY_IND_CODE(cci) = {.step = cci_step,
                    .lookback = last,
                    .history = last,
                    .state_bytes = nest_bytes,
                    .n_mid = 1,
                    .mid_rows = window};
