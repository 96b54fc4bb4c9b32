/* SPDX-License-Identifier: Apache-2.0
 * Spread over one window: variance, deviation, score, and Bollinger's bands. */
#include "feature/lane/window.h"

static size_t last(const double *p) { return last_of(p, 0); }

HY_INLINE void by_spread(const hy__ind_step *s, int n_out, view_fn leaf) {
  tiles_map(s, (tiling){1, 2, n_out, p_count(s->p, 0), BLOCK, spread_block, leaf});
}

HY_INLINE void std_pop_leaf(view v, const double *p, lanes *out) {
  out[0] = v_std(v_spread(v, p_count(p, 0)), p[0], 0.0);
}
static void std_pop_step(const hy__ind_step *s) { by_spread(s, 1, std_pop_leaf); }
HY_IND_CODE(std_pop) = {.step = std_pop_step, .lookback = last, .history = last};

HY_INLINE void std_sample_leaf(view v, const double *p, lanes *out) {
  out[0] = v_std(v_spread(v, p_count(p, 0)), p[0], 1.0);
}
static void std_sample_step(const hy__ind_step *s) { by_spread(s, 1, std_sample_leaf); }
HY_IND_CODE(std_sample) = {.step = std_sample_step, .lookback = last, .history = last};

HY_INLINE void var_pop_leaf(view v, const double *p, lanes *out) {
  out[0] = v_spread(v, p_count(p, 0)).squares / v_set(p[0]);
}
static void var_pop_step(const hy__ind_step *s) { by_spread(s, 1, var_pop_leaf); }
HY_IND_CODE(var_pop) = {.step = var_pop_step, .lookback = last, .history = last};

HY_INLINE void var_sample_leaf(view v, const double *p, lanes *out) {
  out[0] = v_spread(v, p_count(p, 0)).squares / v_set(p[0] - 1.0);
}
static void var_sample_step(const hy__ind_step *s) { by_spread(s, 1, var_sample_leaf); }
HY_IND_CODE(var_sample) = {.step = var_sample_step, .lookback = last, .history = last};

HY_INLINE void zscore_leaf(view v, const double *p, lanes *out) {
  const spread s = v_spread(v, p_count(p, 0));
  out[0] = ((v_load(v.in[0]) - s.level) - s.offset) / v_std(s, p[0], 1.0);
}
static void zscore_step(const hy__ind_step *s) { by_spread(s, 1, zscore_leaf); }
HY_IND_CODE(zscore) = {.step = zscore_step, .lookback = last, .history = last};

HY_INLINE void bbands_leaf(view v, const double *p, lanes *out) {
  const spread s = v_spread(v, p_count(p, 0));
  const lanes middle = v_mean(s), reach = v_set(p[1]) * v_std(s, p[0], 0.0);
  out[0] = middle + reach;
  out[1] = middle;
  out[2] = middle - reach;
}
static void bbands_step(const hy__ind_step *s) { by_spread(s, 3, bbands_leaf); }
HY_IND_CODE(bbands) = {.step = bbands_step, .lookback = last, .history = last};

HY_INLINE void bbands_pctb_leaf(view v, const double *p, lanes *out) {
  lanes band[3];
  bbands_leaf(v, p, band);
  out[0] = v_ratio(v_load(v.in[0]) - band[2], band[0] - band[2], v_set(0.5));
}
static void bbands_pctb_step(const hy__ind_step *s) { by_spread(s, 1, bbands_pctb_leaf); }
HY_IND_CODE(bbands_pctb) = {.step = bbands_pctb_step, .lookback = last, .history = last};

HY_INLINE void bbands_width_leaf(view v, const double *p, lanes *out) {
  lanes band[3];
  bbands_leaf(v, p, band);
  out[0] = v_ratio(band[0] - band[2], band[1], v_missing());
}
static void bbands_width_step(const hy__ind_step *s) { by_spread(s, 1, bbands_width_leaf); }
HY_IND_CODE(bbands_width) = {.step = bbands_width_step, .lookback = last, .history = last};
