/* SPDX-License-Identifier: Apache-2.0
 * Largest and smallest over a window, where they lie, and what stands between them. */
#include "feature/window.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

static void highest_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_max(in[0], p_count(p, 0));
}
static void highest_step(const hy__ind_step *s) { rows_map(s, 1, 1, highest_row); }
HY_IND_CODE(highest) = {.step = highest_step, .lookback = last, .history = last};

static void lowest_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_min(in[0], p_count(p, 0));
}
static void lowest_step(const hy__ind_step *s) { rows_map(s, 1, 1, lowest_row); }
HY_IND_CODE(lowest) = {.step = lowest_step, .lookback = last, .history = last};

/* Position 1 is the oldest of the window. */
static void argmax_row(const double *const *in, const double *p, lanes *out) {
  out[0] = v_set(p[0]) - w_since_max(in[0], p_count(p, 0), true);
}
static void argmax_step(const hy__ind_step *s) { rows_map(s, 1, 1, argmax_row); }
HY_IND_CODE(argmax) = {.step = argmax_step, .lookback = last, .history = last};

static void argmin_row(const double *const *in, const double *p, lanes *out) {
  out[0] = v_set(p[0]) - w_since_min(in[0], p_count(p, 0), true);
}
static void argmin_step(const hy__ind_step *s) { rows_map(s, 1, 1, argmin_row); }
HY_IND_CODE(argmin) = {.step = argmin_step, .lookback = last, .history = last};

static void midpoint_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = (w_max(in[0], n) + w_min(in[0], n)) * v_set(0.5);
}
static void midpoint_step(const hy__ind_step *s) { rows_map(s, 1, 1, midpoint_row); }
HY_IND_CODE(midpoint) = {.step = midpoint_step, .lookback = last, .history = last};

/* Inputs: high, low. Outputs: upper, middle, lower. */
static void donchian_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = w_max(in[0], n);
  out[2] = w_min(in[1], n);
  out[1] = (out[0] + out[2]) * v_set(0.5);
}
static void donchian_step(const hy__ind_step *s) { rows_map(s, 2, 3, donchian_row); }
HY_IND_CODE(donchian) = {.step = donchian_step, .lookback = last, .history = last};

static void midprice_row(const double *const *in, const double *p, lanes *out) {
  lanes channel[3];
  donchian_row(in, p, channel);
  out[0] = channel[1];
}
static void midprice_step(const hy__ind_step *s) { rows_map(s, 2, 1, midprice_row); }
HY_IND_CODE(midprice) = {.step = midprice_step, .lookback = last, .history = last};

/* Inputs: high, low, close. */
static void willr_row(const double *const *in, const double *p, lanes *out) {
  lanes channel[3];
  donchian_row(in, p, channel);
  out[0] = v_ratio(v_set(-100.0) * (channel[0] - v_load(in[2])), channel[0] - channel[2], v_zero());
}
static void willr_step(const hy__ind_step *s) { rows_map(s, 3, 1, willr_row); }
HY_IND_CODE(willr) = {.step = willr_step, .lookback = last, .history = last};

/* Inputs: high, low; n + 1 bars; the newest of equals. Outputs: up, down. */
static void aroon_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes scale = v_set(100.0 / p[0]);
  out[0] = (v_set(p[0]) - w_since_max(in[0], n + 1, false)) * scale;
  out[1] = (v_set(p[0]) - w_since_min(in[1], n + 1, false)) * scale;
}
static void aroon_step(const hy__ind_step *s) { rows_map(s, 2, 2, aroon_row); }
HY_IND_CODE(aroon) = {.step = aroon_step, .lookback = window, .history = window};

static void aroon_osc_row(const double *const *in, const double *p, lanes *out) {
  lanes both[2];
  aroon_row(in, p, both);
  out[0] = both[0] - both[1];
}
static void aroon_osc_step(const hy__ind_step *s) { rows_map(s, 2, 1, aroon_osc_row); }
HY_IND_CODE(aroon_osc) = {.step = aroon_osc_step, .lookback = window, .history = window};

static void drawdown_row(const double *const *in, const double *p, lanes *out) {
  const lanes top = w_max(in[0], p_count(p, 0));
  out[0] = v_ratio(v_load(in[0]) - top, top, v_missing());
}
static void drawdown_step(const hy__ind_step *s) { rows_map(s, 1, 1, drawdown_row); }
HY_IND_CODE(drawdown) = {.step = drawdown_step, .lookback = last, .history = last};
