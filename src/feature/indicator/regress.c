/* SPDX-License-Identifier: Apache-2.0
 * The least-squares line through one window, positions 0 (oldest) to n-1. */
#include "feature/window.h"

static size_t last(const double *p) { return last_of(p, 0); }

/* The mean relative to a level, the slope, and the sum of squared deviations. */
typedef struct fit {
  lanes level, offset, slope, squares;
  double reach, spread; /* the newest position from the middle; sum of squared positions */
} fit;

/* Each block counts by its tilt and, at its middle's position, by its sum. */
HY_INLINE fit v_fit(view v, size_t n) {
  const double reach = ((double)n - 1.0) / 2.0;
  const double positions = (double)n * ((double)n * (double)n - 1.0) / 12.0;
  const lanes level = v_level(v, n), level4 = level * v_set(4.0);
  lanes sum = v_zero(), between = v_zero(), within = v_zero(), tilt = v_zero(), c[COLUMNS];
  double place = reach;
  size_t k = 0;
  for (; k + BLOCK <= n; k += BLOCK, place -= BLOCK) {
    fetch(v, k, c);
    const lanes d = c[0] - level4;
    sum += d;
    between += d * d;
    within += c[1];
    tilt += c[2] + v_set(place - 1.5) * d;
  }
  between = v_set(0.25) * between;
  for (size_t r = 0; r < n % BLOCK; r++, k++, place -= 1.0) {
    const lanes d = v_ago(v.in[0], k) - level;
    sum += d;
    between += d * d;
    tilt += v_set(place) * d;
  }
  const lanes offset = sum / v_set((double)n);
  const lanes slope = tilt / v_set(positions); /* 0 / 0, so missing, for one value */
  const lanes squares = within + not_negative(between - sum * offset);
  return (fit){level, offset, slope, squares, reach, positions};
}

/* The line at `ahead` bars past the newest, relative to the level. */
HY_INLINE lanes line(fit f, double ahead) { return f.offset + f.slope * v_set(f.reach + ahead); }

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
