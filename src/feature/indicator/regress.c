/* SPDX-License-Identifier: Apache-2.0
 * The least-squares line through one window, positions 0 (oldest) to n-1. */
#include "feature/window.h"

static size_t last(const double *p) { return last_of(p, 0); }

/* Relative to the newest value: the mean, the slope, and the sum of squared deviations. */
typedef struct fit {
  lanes mean, slope, squares;
  double reach, spread; /* the newest position from the middle; sum of squared positions */
} fit;

HY_INLINE fit w_fit(const double *x, size_t n) {
  const double reach = ((double)n - 1.0) / 2.0;
  const double spread = (double)n * ((double)n * (double)n - 1.0) / 12.0;
  const lanes newest = v_load(x);
  lanes a0 = v_zero(), a1 = v_zero(), b0 = v_zero(), b1 = v_zero(), c0 = v_zero(), c1 = v_zero();
  for (size_t k = 0; k + 2 <= n; k += 2) {
    const lanes d0 = v_ago(x, k) - newest, d1 = v_ago(x, k + 1) - newest;
    a0 += d0;
    a1 += d1;
    b0 += v_set(reach - (double)k) * d0;
    b1 += v_set(reach - (double)k - 1.0) * d1;
    c0 += d0 * d0;
    c1 += d1 * d1;
  }
  if (n % 2 == 1) {
    const lanes d = v_ago(x, n - 1) - newest;
    a0 += d;
    b0 += v_set(-reach) * d;
    c0 += d * d;
  }
  const shifted sums = {a0 + a1, c0 + c1};
  const lanes slope = (b0 + b1) / v_set(spread); /* 0 / 0, so missing, for one value */
  return (fit){sums.sum / v_set((double)n), slope, shifted_squares(sums, n), reach, spread};
}

/* The line at `ahead` bars past the newest, relative to the newest value. */
HY_INLINE lanes line(fit f, double ahead) { return f.mean + f.slope * v_set(f.reach + ahead); }

static void linreg_row(const double *const *in, const double *p, lanes *out) {
  out[0] = v_load(in[0]) + line(w_fit(in[0], p_count(p, 0)), 0.0);
}
static void linreg_step(const hy__ind_step *s) { rows_map(s, 1, 1, linreg_row); }
HY_IND_CODE(linreg) = {.step = linreg_step, .lookback = last, .history = last};

static void tsf_row(const double *const *in, const double *p, lanes *out) {
  out[0] = v_load(in[0]) + line(w_fit(in[0], p_count(p, 0)), 1.0);
}
static void tsf_step(const hy__ind_step *s) { rows_map(s, 1, 1, tsf_row); }
HY_IND_CODE(tsf) = {.step = tsf_step, .lookback = last, .history = last};

static void intercept_row(const double *const *in, const double *p, lanes *out) {
  out[0] = v_load(in[0]) + line(w_fit(in[0], p_count(p, 0)), 1.0 - p[0]);
}
static void intercept_step(const hy__ind_step *s) { rows_map(s, 1, 1, intercept_row); }
HY_IND_CODE(intercept) = {.step = intercept_step, .lookback = last, .history = last};

static void slope_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_fit(in[0], p_count(p, 0)).slope;
}
static void slope_step(const hy__ind_step *s) { rows_map(s, 1, 1, slope_row); }
HY_IND_CODE(slope) = {.step = slope_step, .lookback = last, .history = last};

static void resi_row(const double *const *in, const double *p, lanes *out) {
  out[0] = v_zero() - line(w_fit(in[0], p_count(p, 0)), 0.0);
}
static void resi_step(const hy__ind_step *s) { rows_map(s, 1, 1, resi_row); }
HY_IND_CODE(resi) = {.step = resi_step, .lookback = last, .history = last};

static void rsquare_row(const double *const *in, const double *p, lanes *out) {
  const fit f = w_fit(in[0], p_count(p, 0));
  const lanes share = v_ratio(f.slope * f.slope * v_set(f.spread), f.squares, v_missing());
  out[0] = v_sel(v_lt(v_set(1.0), share), v_set(1.0), share);
}
static void rsquare_step(const hy__ind_step *s) { rows_map(s, 1, 1, rsquare_row); }
HY_IND_CODE(rsquare) = {.step = rsquare_step, .lookback = last, .history = last};
