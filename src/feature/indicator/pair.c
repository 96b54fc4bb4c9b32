/* SPDX-License-Identifier: Apache-2.0
 * Two series over one window: correlation, covariance, beta; and a series against its own past. */
#include "feature/lane/comoment.h"
#include "feature/lane/nest.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE void by_pairs(const hy__ind_step *s, view_fn leaf) {
  tiles_map(s, (tiling){2, 5, 1, p_count(s->p, 0), BLOCK, pair_block, leaf});
}

HY_INLINE void corr_leaf(view v, const double *p, lanes *out) {
  out[0] = correlation(v_comoments(v, p_count(p, 0)));
}
static void corr_step(const hy__ind_step *s) { by_pairs(s, corr_leaf); }
HY_IND_CODE(corr) = {.step = corr_step, .lookback = last, .history = last};

HY_INLINE void cov_leaf(view v, const double *p, lanes *out) {
  out[0] = v_comoments(v, p_count(p, 0)).xy / v_set(p[0] - 1.0);
}
static void cov_step(const hy__ind_step *s) { by_pairs(s, cov_leaf); }
HY_IND_CODE(cov) = {.step = cov_step, .lookback = last, .history = last};

HY_INLINE void beta_leaf(view v, const double *p, lanes *out) {
  const comoments m = v_comoments(v, p_count(p, 0));
  out[0] = v_ratio(m.xy, m.xx, v_missing());
}
static void beta_step(const hy__ind_step *s) { by_pairs(s, beta_leaf); }
HY_IND_CODE(beta_level) = {.step = beta_step, .lookback = last, .history = last};

/* The slope of the second's one-bar returns on the first's. */
HY_INLINE void returns(const double *const *in, const double *p, lanes *out) {
  (void)p;
  for (int i = 0; i < 2; i++) {
    const lanes before = v_ago(in[i], 1);
    out[i] = v_ratio(v_load(in[i]) - before, before, v_zero());
  }
}
HY_INLINE void beta_outer(const double *const *mid, const double *p, lanes *out) {
  beta_leaf((view){.in = {mid[0], mid[1]}, .block = pair_block, .n_in = 2, .n_columns = 5}, p, out);
}
static void beta_ret_step(const hy__ind_step *s) {
  nest_map(s, (nest){2, 2, 1, p_count(s->p, 0), returns, beta_outer});
}
HY_IND_CODE(beta_ret) = {.step = beta_ret_step,
                         .lookback = window,
                         .history = window,
                         .state_bytes = nest_bytes,
                         .n_mid = 2,
                         .mid_rows = window};

/* p: n, k. */
static size_t autocorr_last(const double *p) { return last(p) + p_count(p, 1); }
static void autocorr_step(const hy__ind_step *s) {
  hy__ind_step both = *s;
  both.in[1] = s->in[0] - p_count(s->p, 1) * HY_LANES;
  by_pairs(&both, corr_leaf);
}
HY_IND_CODE(autocorr) = {
    .step = autocorr_step, .lookback = autocorr_last, .history = autocorr_last};
