/* SPDX-License-Identifier: Apache-2.0
 * The least-squares line through one window, positions 0 (oldest) to n-1. */
#include "feature/lane/fit.h"
#include "feature/lane/lane_real.h"

static size_t last(const double *p) { return last_of(p, 0); }

HY_INLINE void by_fit(const hy__ind_step *s, view_fn leaf) {
  tiles_map(s, (tiling){1, 3, 1, p_count(s->p, 0), BLOCK, fit_block, leaf});
}

HY_INLINE void linreg_leaf(view v, const double *p, lanes *out) {
  const fit f = v_fit(v, p_count(p, 0));
  out[0] = f.level + line(f, 0.0);
}
static void linreg_step(const hy__ind_step *s) { by_fit(s, linreg_leaf); }
HY_IND_CODE(linreg) = {.step = linreg_step, .lookback = last, .history = last};

HY_INLINE void tsf_leaf(view v, const double *p, lanes *out) {
  const fit f = v_fit(v, p_count(p, 0));
  out[0] = f.level + line(f, 1.0);
}
static void tsf_step(const hy__ind_step *s) { by_fit(s, tsf_leaf); }
HY_IND_CODE(tsf) = {.step = tsf_step, .lookback = last, .history = last};

HY_INLINE void intercept_leaf(view v, const double *p, lanes *out) {
  const fit f = v_fit(v, p_count(p, 0));
  out[0] = f.level + line(f, 1.0 - p[0]);
}
static void intercept_step(const hy__ind_step *s) { by_fit(s, intercept_leaf); }
HY_IND_CODE(intercept) = {.step = intercept_step, .lookback = last, .history = last};

HY_INLINE void slope_leaf(view v, const double *p, lanes *out) {
  out[0] = v_fit(v, p_count(p, 0)).slope;
}
static void slope_step(const hy__ind_step *s) { by_fit(s, slope_leaf); }
HY_IND_CODE(slope) = {.step = slope_step, .lookback = last, .history = last};

/* In degrees. */
HY_INLINE void angle_leaf(view v, const double *p, lanes *out) {
  out[0] = v_atan(v_fit(v, p_count(p, 0)).slope) * v_set(57.2957795130823208768);
}
static void angle_step(const hy__ind_step *s) { by_fit(s, angle_leaf); }
HY_IND_CODE(angle) = {.step = angle_step, .lookback = last, .history = last};

HY_INLINE void resi_leaf(view v, const double *p, lanes *out) {
  const fit f = v_fit(v, p_count(p, 0));
  out[0] = (v_load(v.in[0]) - f.level) - line(f, 0.0);
}
static void resi_step(const hy__ind_step *s) { by_fit(s, resi_leaf); }
HY_IND_CODE(resi) = {.step = resi_step, .lookback = last, .history = last};

HY_INLINE void rsquare_leaf(view v, const double *p, lanes *out) {
  const fit f = v_fit(v, p_count(p, 0));
  const lanes share = v_ratio(f.slope * f.slope * v_set(f.spread), f.squares, v_missing());
  out[0] = v_sel(v_lt(v_set(1.0), share), v_set(1.0), share);
}
static void rsquare_step(const hy__ind_step *s) { by_fit(s, rsquare_leaf); }
HY_IND_CODE(rsquare) = {.step = rsquare_step, .lookback = last, .history = last};
