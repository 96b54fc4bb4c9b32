/* SPDX-License-Identifier: Apache-2.0
 * Plain and weighted moving averages over windows. */
#include "feature/lane/nest.h"
#include "feature/lane/window.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE void by_sums(const hy__ind_step *s, view_fn leaf) {
  tiles_map(s, (tiling){1, 1, 1, p_count(s->p, 0), BLOCK, sum_block, leaf});
}

HY_INLINE void sum_leaf(view v, const double *p, lanes *out) { out[0] = v_sum(v, p_count(p, 0)); }
static void sum_step(const hy__ind_step *s) { by_sums(s, sum_leaf); }
HY_IND_CODE(sum) = {.step = sum_step, .lookback = last, .history = last};

HY_INLINE void sma_leaf(view v, const double *p, lanes *out) {
  out[0] = v_sum(v, p_count(p, 0)) / v_set(p[0]);
}
static void sma_step(const hy__ind_step *s) { by_sums(s, sma_leaf); }
HY_IND_CODE(sma) = {.step = sma_step, .lookback = last, .history = last};

HY_INLINE void wma_leaf(view v, const double *p, lanes *out) {
  out[0] = v_linear(v, p_count(p, 0));
}
static void wma_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 2, 1, p_count(s->p, 0), BLOCK, tilt_block, wma_leaf});
}
HY_IND_CODE(wma) = {.step = wma_step, .lookback = last, .history = last};

/* Weights 1, 2 .. m .. 2, 1, the middle one twice when n is even: the sum of the m windows of
 * n - m + 1 rows, so a mean of means. */
static size_t trima_rows(const double *p) { return (p_count(p, 0) + 1) / 2; }
HY_INLINE void trima_inner(const double *const *in, const double *p, lanes *out) {
  out[0] = w_mean(in[0], p_count(p, 0) - trima_rows(p) + 1);
}
HY_INLINE void trima_outer(const double *const *mid, const double *p, lanes *out) {
  out[0] = w_mean(mid[0], trima_rows(p));
}
static void trima_step(const hy__ind_step *s) {
  nest_map(s, (nest){1, 1, 1, trima_rows(s->p), trima_inner, trima_outer});
}
HY_IND_CODE(trima) = {.step = trima_step,
                      .lookback = last,
                      .history = last,
                      .state_bytes = nest_bytes,
                      .n_mid = 1,
                      .mid_rows = trima_rows};

/* Hull: a short weighted average of 2 wma(n/2) - wma(n). */
static size_t hma_short(const double *p) {
  size_t root = 1;
  while ((root + 1) * (root + 1) <= p_count(p, 0)) root++;
  return root;
}
static size_t hma_last(const double *p) { return last(p) + hma_short(p) - 1; }
HY_INLINE void hma_inner(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_set(2.0) * w_linear(in[0], HY_MAX(n / 2, 1)) - w_linear(in[0], n);
}
HY_INLINE void hma_outer(const double *const *mid, const double *p, lanes *out) {
  out[0] = w_linear(mid[0], hma_short(p));
}
static void hma_step(const hy__ind_step *s) {
  nest_map(s, (nest){1, 1, 1, hma_short(s->p), hma_inner, hma_outer});
}
HY_IND_CODE(hma) = {.step = hma_step,
                    .lookback = hma_last,
                    .history = hma_last,
                    .state_bytes = nest_bytes,
                    .n_mid = 1,
                    .mid_rows = hma_short};

/* Inputs: close, volume. */
HY_INLINE void vwma_inner(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[1] = v_load(in[1]);
  out[0] = v_load(in[0]) * out[1];
}
HY_INLINE void vwma_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_ratio(v_sum_at(v, 0, 0, n), v_sum_at(v, 1, 1, n), v_missing());
}
static void vwma_step(const hy__ind_step *s) {
  const size_t n = p_count(s->p, 0);
  const hy__ind_step over = nest_fill(s, (nest){2, 2, 1, n, vwma_inner, NULL});
  tiles_map(&over, (tiling){2, 2, 1, n, BLOCK, two_sums, vwma_leaf});
}
HY_IND_CODE(vwma) = {.step = vwma_step,
                     .lookback = last,
                     .history = last,
                     .state_bytes = nest_bytes,
                     .n_mid = 2,
                     .mid_rows = window};

/* The value against the mean of the n before it. */
HY_INLINE void rvol_leaf(view v, const double *p, lanes *out) {
  const lanes mean = v_sum(v, p_count(p, 0)) / v_set(p[0]);
  out[0] = v_ratio(v_ago(v.in[0] + HY_LANES, 0), mean, v_missing());
}
static void rvol_step(const hy__ind_step *s) {
  hy__ind_step before = *s;
  before.in[0] -= HY_LANES;
  by_sums(&before, rvol_leaf);
}
HY_IND_CODE(rvol) = {.step = rvol_step, .lookback = window, .history = window};
