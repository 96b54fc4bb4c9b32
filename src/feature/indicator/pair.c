/* SPDX-License-Identifier: Apache-2.0
 * Two series over one window: correlation, covariance, beta; and a series against its own past. */
#include "feature/nest.h"
#include "feature/window.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

/* Columns: the sums of four rows of x and of y, then the sums of squares and of products of their
 * deviations from the block's means, by pairs of pairs. */
HY_INLINE lanes inner_product(const lanes *a, const lanes *b) {
  return v_set(0.5) * (a[0] * b[0] + a[1] * b[1]) + v_set(0.25) * (a[2] * b[2]);
}
HY_INLINE lanes differences(const double *x, lanes *d) {
  const lanes x0 = v_load(x), x1 = v_ago(x, 1), x2 = v_ago(x, 2), x3 = v_ago(x, 3);
  const lanes s01 = x0 + x1, s23 = x2 + x3;
  d[0] = x0 - x1;
  d[1] = x2 - x3;
  d[2] = s01 - s23;
  return s01 + s23;
}
HY_INLINE void pair_block(const double *const *in, lanes *column) {
  lanes dx[3], dy[3];
  column[0] = differences(in[0], dx);
  column[1] = differences(in[1], dy);
  column[2] = inner_product(dx, dx);
  column[3] = inner_product(dy, dy);
  column[4] = inner_product(dx, dy);
}

/* Sums of squares and of products of the deviations from the means. */
typedef struct comoments {
  lanes xx, yy, xy;
} comoments;

HY_INLINE comoments v_comoments(view v, size_t n) {
  lanes c[COLUMNS], x0 = v_load(v.in[0]), y0 = v_load(v.in[1]);
  lanes sx = v_zero(), sy = v_zero(), sxx = v_zero(), syy = v_zero(), sxy = v_zero();
  lanes wxx = v_zero(), wyy = v_zero(), wxy = v_zero();
  if (n >= BLOCK) {
    fetch(v, 0, c);
    x0 = c[0] * v_set(0.25);
    y0 = c[1] * v_set(0.25);
  }
  size_t k = 0;
  for (; k + BLOCK <= n; k += BLOCK) {
    fetch(v, k, c);
    const lanes dx = c[0] - x0 * v_set(4.0), dy = c[1] - y0 * v_set(4.0);
    sx += dx;
    sy += dy;
    sxx += dx * dx;
    syy += dy * dy;
    sxy += dx * dy;
    wxx += c[2];
    wyy += c[3];
    wxy += c[4];
  }
  sxx = v_set(0.25) * sxx, syy = v_set(0.25) * syy, sxy = v_set(0.25) * sxy;
  for (size_t r = 0; r < n % BLOCK; r++, k++) {
    const lanes dx = v_ago(v.in[0], k) - x0, dy = v_ago(v.in[1], k) - y0;
    sx += dx;
    sy += dy;
    sxx += dx * dx;
    syy += dy * dy;
    sxy += dx * dy;
  }
  const lanes share = v_set(1.0 / (double)n), mean_x = sx * share, mean_y = sy * share;
  return (comoments){wxx + not_negative(sxx - sx * mean_x), wyy + not_negative(syy - sy * mean_y),
                     wxy + (sxy - sx * mean_y)};
}

HY_INLINE void by_pairs(const hy__ind_step *s, view_fn leaf) {
  tiles_map(s, (tiling){2, 5, 1, p_count(s->p, 0), BLOCK, pair_block, leaf});
}

/* Missing where either is flat; rounding does not leave [-1, 1]. */
HY_INLINE lanes correlation(comoments m) {
  const lanes r = v_ratio(m.xy, v_sqrt(m.xx) * v_sqrt(m.yy), v_missing());
  const lanes low = v_sel(v_lt(r, v_set(-1.0)), v_set(-1.0), r);
  return v_sel(v_lt(v_set(1.0), low), v_set(1.0), low);
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
