/* SPDX-License-Identifier: Apache-2.0
 * Change against n bars ago, and the curve that Coppock draws of two. */
#include "feature/lane/nest.h"
#include "feature/lane/window.h"

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

HY_INLINE void rocr100_row(const double *const *in, const double *p, lanes *out) {
  out[0] = v_set(100.0) * ratio(in[0], p_count(p, 0), 0.0);
}
static void rocr100_step(const hy__ind_step *s) { rows_map(s, 1, 1, rocr100_row); }
HY_IND_CODE(rocr100) = {.step = rocr100_step, .lookback = window, .history = window};

/* The weighted mean of two rates of change. p: n, short, long. */
static size_t coppock_last(const double *p) {
  return (size_t)HY_MAX(p[1], p[2]) + p_count(p, 0) - 1;
}
HY_INLINE void coppock_inner(const double *const *in, const double *p, lanes *out) {
  const lanes both =
      ratio(in[0], p_count(p, 1), 1.0) + ratio(in[0], p_count(p, 2), 1.0) - v_set(2.0);
  out[0] = v_set(100.0) * both;
}
HY_INLINE void coppock_leaf(view v, const double *p, lanes *out) {
  out[0] = v_linear(v, p_count(p, 0));
}
static void coppock_step(const hy__ind_step *s) {
  const size_t n = p_count(s->p, 0);
  const hy__ind_step over = nest_fill(s, (nest){1, 1, 1, n, coppock_inner, NULL});
  tiles_map(&over, (tiling){1, 2, 1, n, BLOCK, tilt_block, coppock_leaf});
}
HY_IND_CODE(coppock) = {.step = coppock_step,
                        .lookback = coppock_last,
                        .history = coppock_last,
                        .state_bytes = nest_bytes,
                        .n_mid = 1,
                        .mid_rows = window};

/* The ratios, then their logarithms in one loop over the rows, which vectorises whole. */
HY_INLINE void logret_row(const double *const *in, const double *p, lanes *out) {
  const lanes now = v_load(in[0]), then = v_ago(in[0], p_count(p, 0));
  const mask positive = m_and(v_lt(v_zero(), now), v_lt(v_zero(), then));
  out[0] = v_keep(positive, now / then);
}
static void logret_step(const hy__ind_step *s) {
  rows_map(s, 1, 1, logret_row);
  EACH_BLOCK(s, at) {
    double *const out = s->out[0] + at;
    for (size_t i = 0; i < s->n * HY_LANES; i++) out[i] = hy__ln(out[i]);
    for (size_t i = 0; i < s->n * HY_LANES; i += LANE_WIDTH)
      v_store(out + i, v_fin(v_load(out + i)));
  }
}
HY_IND_CODE(logret) = {.step = logret_step, .lookback = window, .history = window};
