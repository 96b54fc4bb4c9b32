/* SPDX-License-Identifier: Apache-2.0
 * Two series over one window: correlation, covariance, beta; and a series against its own past. */
#include "feature/nest.h"
#include "feature/window.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

/* Sums of squares and of products of the deviations from the means, shifted by the newest values.
 */
typedef struct comoments {
  lanes xx, yy, xy;
} comoments;

HY_INLINE comoments w_comoments(const double *x, const double *y, size_t n) {
  const lanes x0 = v_load(x), y0 = v_load(y), scale = v_set(1.0 / (double)n);
  lanes sx = v_zero(), sy = v_zero(), sxx = v_zero(), syy = v_zero(), sxy = v_zero();
  for (size_t k = 0; k < n; k++) {
    const lanes dx = v_ago(x, k) - x0, dy = v_ago(y, k) - y0;
    sx += dx;
    sy += dy;
    sxx += dx * dx;
    syy += dy * dy;
    sxy += dx * dy;
  }
  return (comoments){not_negative(sxx - sx * sx * scale), not_negative(syy - sy * sy * scale),
                     sxy - sx * sy * scale};
}

/* Missing where either is flat; rounding does not leave [-1, 1]. */
HY_INLINE lanes correlation(comoments m) {
  const lanes r = v_ratio(m.xy, v_sqrt(m.xx) * v_sqrt(m.yy), v_missing());
  const lanes low = v_sel(v_lt(r, v_set(-1.0)), v_set(-1.0), r);
  return v_sel(v_lt(v_set(1.0), low), v_set(1.0), low);
}

static void corr_row(const double *const *in, const double *p, lanes *out) {
  out[0] = correlation(w_comoments(in[0], in[1], p_count(p, 0)));
}
static void corr_step(const hy__ind_step *s) { rows_map(s, 2, 1, corr_row); }
HY_IND_CODE(corr) = {.step = corr_step, .lookback = last, .history = last};

static void cov_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_comoments(in[0], in[1], p_count(p, 0)).xy / v_set(p[0] - 1.0);
}
static void cov_step(const hy__ind_step *s) { rows_map(s, 2, 1, cov_row); }
HY_IND_CODE(cov) = {.step = cov_step, .lookback = last, .history = last};

static void beta_row(const double *const *in, const double *p, lanes *out) {
  const comoments m = w_comoments(in[0], in[1], p_count(p, 0));
  out[0] = v_ratio(m.xy, m.xx, v_missing());
}
static void beta_step(const hy__ind_step *s) { rows_map(s, 2, 1, beta_row); }
HY_IND_CODE(beta_level) = {.step = beta_step, .lookback = last, .history = last};

/* The slope of the second's one-bar returns on the first's. */
static size_t beta_bytes(const double *p) { return nest_bytes(2, p_count(p, 0)); }
static void returns(const double *const *in, const double *p, lanes *out) {
  (void)p;
  for (int i = 0; i < 2; i++) {
    const lanes before = v_ago(in[i], 1);
    out[i] = v_ratio(v_load(in[i]) - before, before, v_zero());
  }
}
static void beta_ret_step(const hy__ind_step *s) {
  nest_map(s, (nest){2, 2, 1, p_count(s->p, 0), returns, beta_row});
}
HY_IND_CODE(beta_ret) = {
    .step = beta_ret_step, .lookback = window, .history = window, .state_bytes = beta_bytes};

/* p: n, k. */
static size_t autocorr_last(const double *p) { return last(p) + p_count(p, 1); }
static void autocorr_row(const double *const *in, const double *p, lanes *out) {
  const double *const past = in[0] - p_count(p, 1) * HY_LANES;
  out[0] = correlation(w_comoments(in[0], past, p_count(p, 0)));
}
static void autocorr_step(const hy__ind_step *s) { rows_map(s, 1, 1, autocorr_row); }
HY_IND_CODE(autocorr) = {
    .step = autocorr_step, .lookback = autocorr_last, .history = autocorr_last};
