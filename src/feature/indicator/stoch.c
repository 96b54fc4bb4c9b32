/* SPDX-License-Identifier: Apache-2.0
 * Stochastics: where the close lies in the range of the last n bars, smoothed by plain means.
 * Inputs: high, low, close; the RSI's takes one series. */
#include "feature/lane/nest.h"
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

HY_INLINE lanes place(lanes value, lanes low, lanes high) {
  return v_ratio(v_set(100.0) * (value - low), high - low, v_zero());
}

HY_INLINE void fast_inner(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = place(v_load(in[2]), w_min(in[1], n), w_max(in[0], n));
}

/* p: n, d. Outputs: k, d. */
static size_t stochf_rows(const double *p) { return p_count(p, 1); }
static size_t stochf_last(const double *p) { return p_count(p, 0) + p_count(p, 1) - 2; }
HY_INLINE void stochf_outer(const double *const *mid, const double *p, lanes *out) {
  out[1] = w_mean(mid[0], p_count(p, 1));
  out[0] = v_keep(v_ok(out[1]), v_load(mid[0]));
}
static void stochf_step(const hy__ind_step *s) {
  nest_map(s, (nest){3, 1, 2, stochf_rows(s->p), fast_inner, stochf_outer});
}
HY_IND_CODE(stochf) = {.step = stochf_step,
                       .lookback = stochf_last,
                       .history = stochf_last,
                       .state_bytes = nest_bytes,
                       .n_mid = 1,
                       .mid_rows = stochf_rows};

/* p: n, k, d. Outputs: k, d. */
static size_t stoch_rows(const double *p) { return p_count(p, 1) + p_count(p, 2) - 1; }
static size_t stoch_last(const double *p) { return p_count(p, 0) + stoch_rows(p) - 2; }
HY_INLINE void stoch_outer(const double *const *mid, const double *p, lanes *out) {
  const size_t n_k = p_count(p, 1), n_d = p_count(p, 2);
  const lanes k = w_mean(mid[0], n_k);
  lanes sum = k;
  for (size_t i = 1; i < n_d; i++) sum += w_mean(mid[0] - i * HY_LANES, n_k);
  out[1] = sum / v_set(p[2]);
  out[0] = v_keep(v_ok(sum), k);
}
static void stoch_step(const hy__ind_step *s) {
  nest_map(s, (nest){3, 1, 2, stoch_rows(s->p), fast_inner, stoch_outer});
}
HY_IND_CODE(stoch) = {.step = stoch_step,
                      .lookback = stoch_last,
                      .history = stoch_last,
                      .state_bytes = nest_bytes,
                      .n_mid = 1,
                      .mid_rows = stoch_rows};
