/* SPDX-License-Identifier: Apache-2.0
 * Change against n bars ago. */
#include "feature/window.h"

static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE void mom_row(const double *const *in, const double *p, lanes *out) {
  out[0] = v_load(in[0]) - v_ago(in[0], p_count(p, 0));
}
static void mom_step(const hy__ind_step *s) { rows_map(s, 1, 1, mom_row); }
HY_IND_CODE(mom) = {.step = mom_step, .lookback = window, .history = window};

/* The ratio to n bars ago, TA-Lib's `flat` where that is 0. */
HY_INLINE lanes ratio(const double *x, size_t n, double flat) {
  return v_ratio(v_load(x), v_ago(x, n), v_set(flat));
}

HY_INLINE void roc_row(const double *const *in, const double *p, lanes *out) {
  out[0] = (ratio(in[0], p_count(p, 0), 1.0) - v_set(1.0)) * v_set(100.0);
}
static void roc_step(const hy__ind_step *s) { rows_map(s, 1, 1, roc_row); }
HY_IND_CODE(roc) = {.step = roc_step, .lookback = window, .history = window};

HY_INLINE void rocp_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes then = v_ago(in[0], n), change = v_load(in[0]) - then;
  out[0] = v_ratio(change, then, v_zero());
}
static void rocp_step(const hy__ind_step *s) { rows_map(s, 1, 1, rocp_row); }
HY_IND_CODE(rocp) = {.step = rocp_step, .lookback = window, .history = window};

HY_INLINE void rocr_row(const double *const *in, const double *p, lanes *out) {
  out[0] = ratio(in[0], p_count(p, 0), 0.0);
}
static void rocr_step(const hy__ind_step *s) { rows_map(s, 1, 1, rocr_row); }
HY_IND_CODE(rocr) = {.step = rocr_step, .lookback = window, .history = window};

/* The ratios, then their logarithms in one loop over the rows, which vectorises whole. */
HY_INLINE void logret_row(const double *const *in, const double *p, lanes *out) {
  const lanes now = v_load(in[0]), then = v_ago(in[0], p_count(p, 0));
  const mask positive = m_and(v_lt(v_zero(), now), v_lt(v_zero(), then));
  out[0] = v_keep(positive, now / then);
}
static void logret_step(const hy__ind_step *s) {
  double *const out = s->out[0];
  rows_map(s, 1, 1, logret_row);
  for (size_t i = 0; i < s->n * HY_LANES; i++) out[i] = hy__ln(out[i]);
  for (size_t i = 0; i < s->n * HY_LANES; i += LANE_WIDTH) v_store(out + i, v_fin(v_load(out + i)));
}
HY_IND_CODE(logret) = {.step = logret_step, .lookback = window, .history = window};
