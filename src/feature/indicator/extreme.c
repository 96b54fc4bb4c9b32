/* SPDX-License-Identifier: Apache-2.0
 * Largest and smallest over a window, where they lie, and what stands between them. */
#include "feature/lane/window.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE void by_max(const hy__ind_step *s, view_fn leaf) {
  tiles_map(s, (tiling){1, 1, 1, p_count(s->p, 0), RUN, max_block, leaf});
}
HY_INLINE void by_min(const hy__ind_step *s, view_fn leaf) {
  tiles_map(s, (tiling){1, 1, 1, p_count(s->p, 0), RUN, min_block, leaf});
}

HY_INLINE void highest_leaf(view v, const double *p, lanes *out) {
  out[0] = v_highest(v, 0, 0, p_count(p, 0));
}
static void highest_step(const hy__ind_step *s) { by_max(s, highest_leaf); }
HY_IND_CODE(highest) = {.step = highest_step, .lookback = last, .history = last};

HY_INLINE void lowest_leaf(view v, const double *p, lanes *out) {
  out[0] = v_lowest(v, 0, 0, p_count(p, 0));
}
static void lowest_step(const hy__ind_step *s) { by_min(s, lowest_leaf); }
HY_IND_CODE(lowest) = {.step = lowest_step, .lookback = last, .history = last};

/* Position 1 is the oldest of the window; the oldest of equals. */
HY_INLINE void argmax_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_set(p[0]) - since_oldest(v.in[0], n, v_highest(v, 0, 0, n));
}
static void argmax_step(const hy__ind_step *s) { by_max(s, argmax_leaf); }
HY_IND_CODE(argmax) = {.step = argmax_step, .lookback = last, .history = last};

HY_INLINE void argmin_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_set(p[0]) - since_oldest(v.in[0], n, v_lowest(v, 0, 0, n));
}
static void argmin_step(const hy__ind_step *s) { by_min(s, argmin_leaf); }
HY_IND_CODE(argmin) = {.step = argmin_step, .lookback = last, .history = last};

HY_INLINE void drawdown_leaf(view v, const double *p, lanes *out) {
  const lanes top = v_highest(v, 0, 0, p_count(p, 0));
  out[0] = v_ratio(v_load(v.in[0]) - top, top, v_missing());
}
static void drawdown_step(const hy__ind_step *s) { by_max(s, drawdown_leaf); }
HY_IND_CODE(drawdown) = {.step = drawdown_step, .lookback = last, .history = last};

/* Both extremes of one series. */
HY_INLINE void both_block(const double *const *in, lanes *column) {
  column[0] = max_run(in[0], RUN);
  column[1] = min_run(in[0], RUN);
}
HY_INLINE void by_channel(const hy__ind_step *s, int n_in, int n_out, size_t n, view_fn leaf) {
  tiles_map(s, (tiling){n_in, 2, n_out, n, RUN, channel_block, leaf});
}

HY_INLINE void midpoint_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = (v_highest(v, 0, 0, n) + v_lowest(v, 0, 1, n)) * v_set(0.5);
}
static void midpoint_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 2, 1, p_count(s->p, 0), RUN, both_block, midpoint_leaf});
}
HY_IND_CODE(midpoint) = {.step = midpoint_step, .lookback = last, .history = last};

/* Inputs: high, low. Outputs: upper, middle, lower. */
HY_INLINE void donchian_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_highest(v, 0, 0, n);
  out[2] = v_lowest(v, 1, 1, n);
  out[1] = (out[0] + out[2]) * v_set(0.5);
}
static void donchian_step(const hy__ind_step *s) {
  by_channel(s, 2, 3, p_count(s->p, 0), donchian_leaf);
}
HY_IND_CODE(donchian) = {.step = donchian_step, .lookback = last, .history = last};

HY_INLINE void midprice_leaf(view v, const double *p, lanes *out) {
  lanes channel[3];
  donchian_leaf(v, p, channel);
  out[0] = channel[1];
}
static void midprice_step(const hy__ind_step *s) {
  by_channel(s, 2, 1, p_count(s->p, 0), midprice_leaf);
}
HY_IND_CODE(midprice) = {.step = midprice_step, .lookback = last, .history = last};

/* Inputs: high, low, close. */
HY_INLINE void willr_leaf(view v, const double *p, lanes *out) {
  lanes channel[3];
  donchian_leaf(v, p, channel);
  out[0] =
      v_ratio(v_set(-100.0) * (channel[0] - v_load(v.in[2])), channel[0] - channel[2], v_zero());
}
static void willr_step(const hy__ind_step *s) { by_channel(s, 3, 1, p_count(s->p, 0), willr_leaf); }
HY_IND_CODE(willr) = {.step = willr_step, .lookback = last, .history = last};

/* Inputs: high, low; n + 1 bars; the newest of equals. Outputs: up, down. */
HY_INLINE void aroon_leaf(view v, const double *p, lanes *out) {
  const size_t bars = p_count(p, 0) + 1;
  const lanes n = v_set(p[0]), scale = v_set(100.0 / p[0]);
  out[0] = (n - since_newest(v.in[0], bars, v_highest(v, 0, 0, bars))) * scale;
  out[1] = (n - since_newest(v.in[1], bars, v_lowest(v, 1, 1, bars))) * scale;
}
static void aroon_step(const hy__ind_step *s) {
  by_channel(s, 2, 2, p_count(s->p, 0) + 1, aroon_leaf);
}
HY_IND_CODE(aroon) = {.step = aroon_step, .lookback = window, .history = window};

HY_INLINE void aroon_osc_leaf(view v, const double *p, lanes *out) {
  lanes both[2];
  aroon_leaf(v, p, both);
  out[0] = both[0] - both[1];
}
static void aroon_osc_step(const hy__ind_step *s) {
  by_channel(s, 2, 1, p_count(s->p, 0) + 1, aroon_osc_leaf);
}
HY_IND_CODE(aroon_osc) = {.step = aroon_osc_step, .lookback = window, .history = window};
