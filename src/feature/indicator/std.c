/* SPDX-License-Identifier: Apache-2.0
 * Spread over one window: variance, deviation, score, and Bollinger's bands. */
#include "feature/window.h"

static size_t last(const double *p) { return last_of(p, 0); }

static void std_pop_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_std(in[0], p_count(p, 0), 0.0);
}
static void std_pop_step(const hy__ind_step *s) { rows_map(s, 1, 1, std_pop_row); }
HY_IND_CODE(std_pop) = {.step = std_pop_step, .lookback = last, .history = last};

static void std_sample_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_std(in[0], p_count(p, 0), 1.0);
}
static void std_sample_step(const hy__ind_step *s) { rows_map(s, 1, 1, std_sample_row); }
HY_IND_CODE(std_sample) = {.step = std_sample_step, .lookback = last, .history = last};

static void var_pop_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_squares(in[0], p_count(p, 0)) / v_set(p[0]);
}
static void var_pop_step(const hy__ind_step *s) { rows_map(s, 1, 1, var_pop_row); }
HY_IND_CODE(var_pop) = {.step = var_pop_step, .lookback = last, .history = last};

static void var_sample_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_squares(in[0], p_count(p, 0)) / v_set(p[0] - 1.0);
}
static void var_sample_step(const hy__ind_step *s) { rows_map(s, 1, 1, var_sample_row); }
HY_IND_CODE(var_sample) = {.step = var_sample_step, .lookback = last, .history = last};

static void zscore_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = (v_load(in[0]) - w_mean(in[0], n)) / w_std(in[0], n, 1.0);
}
static void zscore_step(const hy__ind_step *s) { rows_map(s, 1, 1, zscore_row); }
HY_IND_CODE(zscore) = {.step = zscore_step, .lookback = last, .history = last};

static void bbands_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes middle = w_mean(in[0], n), reach = v_set(p[1]) * w_std(in[0], n, 0.0);
  out[0] = middle + reach;
  out[1] = middle;
  out[2] = middle - reach;
}
static void bbands_step(const hy__ind_step *s) { rows_map(s, 1, 3, bbands_row); }
HY_IND_CODE(bbands) = {.step = bbands_step, .lookback = last, .history = last};

static void bbands_pctb_row(const double *const *in, const double *p, lanes *out) {
  lanes band[3];
  bbands_row(in, p, band);
  out[0] = v_ratio(v_load(in[0]) - band[2], band[0] - band[2], v_set(0.5));
}
static void bbands_pctb_step(const hy__ind_step *s) { rows_map(s, 1, 1, bbands_pctb_row); }
HY_IND_CODE(bbands_pctb) = {.step = bbands_pctb_step, .lookback = last, .history = last};

static void bbands_width_row(const double *const *in, const double *p, lanes *out) {
  lanes band[3];
  bbands_row(in, p, band);
  out[0] = v_ratio(band[0] - band[2], band[1], v_missing());
}
static void bbands_width_step(const hy__ind_step *s) { rows_map(s, 1, 1, bbands_width_row); }
HY_IND_CODE(bbands_width) = {.step = bbands_width_step, .lookback = last, .history = last};
