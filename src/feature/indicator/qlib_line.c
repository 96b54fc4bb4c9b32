/* SPDX-License-Identifier: Apache-2.0
 * As qlib has them, sums, means, deviations and lines over the values that a window holds; missing
 * ones are passed over, and `min` values are enough. */
#include "feature/lane/blend.h"
#include "feature/lane/skip.h"

/* p of all rows: n, min. */
static size_t last(const double *p) { return last_of(p, 0); }
static size_t least(const double *p) { return p_count(p, 1) - 1; }
/* A deviation takes two values. */
static size_t least_two(const double *p) { return HY_MAX(p_count(p, 1), (size_t)2) - 1; }
static size_t rest(const double *p, double tol) {
  return (void)tol, p_count(p, 0) - HY_MIN(p_count(p, 0), least(p) + 1);
}
static size_t rest_two(const double *p, double tol) {
  return (void)tol, p_count(p, 0) - HY_MIN(p_count(p, 0), least_two(p) + 1);
}

HY_INLINE void sum_leaf(const double *const *in, const double *p, const lanes *c, lanes *out) {
  const mask gap = v_gap(c[0]);
  out[0] = c[0];
  if (!m_rare(gap)) return;
  const tally t = tally_of(in[0], p_count(p, 0));
  out[0] = v_patch(out[0], gap, t.sum + t.level * t.count, v_ge(t.count, v_set(p[1])));
}
LADDER(sum, {1, 1, 1, total_base, total_merge, sum_leaf})
HY_IND_CODE(sum_qlib) = {
    .step = sum_step, .group = sum_group, .lookback = least, .history = last, .stable = rest};

HY_INLINE void mean_leaf(const double *const *in, const double *p, const lanes *c, lanes *out) {
  const mask gap = v_gap(c[0]);
  out[0] = c[0] * v_set(1.0 / p[0]);
  if (!m_rare(gap)) return;
  const tally t = tally_of(in[0], p_count(p, 0));
  out[0] = v_patch(out[0], gap, tally_mean(t), v_ge(t.count, v_set(p[1])));
}
LADDER(mean, {1, 1, 1, total_base, total_merge, mean_leaf})
HY_IND_CODE(sma_qlib) = {
    .step = mean_step, .group = mean_group, .lookback = least, .history = last, .stable = rest};

HY_INLINE void std_leaf(const double *const *in, const double *p, const lanes *c, lanes *out) {
  const mask gap = v_gap(c[0]);
  out[0] = v_sqrt(c[1] * v_set(1.0 / (p[0] - 1.0)));
  if (!m_rare(gap)) return;
  const tally t = tally_of(in[0], p_count(p, 0));
  out[0] = v_patch(out[0], gap, tally_std(t), v_ge(t.count, v_set(p[1])));
}
LADDER(std, {1, 2, 1, spread_base, spread_merge, std_leaf})
HY_IND_CODE(std_qlib) = {.step = std_step,
                         .group = std_group,
                         .lookback = least_two,
                         .history = last,
                         .stable = rest_two};

enum { STD, SLOPE, RSQ, RESI, N_FIT };

HY_INLINE void fit_skipping(const double *x, const double *p, mask gap, lanes *out) {
  const tally_line t = tally_line_of(x, p_count(p, 0));
  const lanes n = t.y.count, spaced = n * t.places - t.place * t.place;
  const lanes joint = n * t.joint - t.place * t.y.sum, slope = joint / spaced;
  const lanes squares = not_negative(n * t.y.squares - t.y.sum * t.y.sum);
  const lanes newest = (t.y.sum - slope * t.place) / n;
  const mask enough = v_ge(n, v_set(p[1]));
  out[STD] = v_patch(out[STD], gap, tally_std(t.y), enough);
  out[SLOPE] = v_patch(out[SLOPE], gap, slope, enough);
  out[RSQ] = v_patch(out[RSQ], gap, joint * joint / (spaced * squares), enough);
  out[RESI] = v_patch(out[RESI], gap, (v_load(x) - t.y.level) - newest, enough);
}

/* The least deviation that counts as one is absolute, or relative to the mean's size. */
HY_INLINE void fit_of(const double *const *in, const double *p, const lanes *c, lanes flat,
                      lanes *out) {
  const double n = p[0], places = n * (n * n - 1.0) / 12.0;
  const mask gap = v_gap(c[0]);
  out[STD] = v_sqrt(c[1] * v_set(1.0 / (n - 1.0)));
  out[SLOPE] = c[2] * v_set(1.0 / places); /* 0 times infinity, so missing, for one value */
  out[RSQ] = out[SLOPE] * c[2] / c[1];
  out[RESI] = (v_load(in[0]) - c[0]) - out[SLOPE] * v_set(0.5 * (n - 1.0));
  if (m_rare(gap)) fit_skipping(in[0], p, gap, out);
  const lanes share = v_sel(v_lt(v_set(1.0), out[RSQ]), v_set(1.0), out[RSQ]);
  out[RSQ] = v_keep(v_gt(out[STD], flat), share);
}

static const double flat_std = 2e-5;

HY_INLINE void fit_qlib_leaf(const double *const *in, const double *p, const lanes *c, lanes *out) {
  fit_of(in, p, c, v_set(flat_std), out);
}
HY_INLINE void fit_rel_leaf(const double *const *in, const double *p, const lanes *c, lanes *out) {
  const mask gap = v_gap(c[0]);
  lanes mean = c[0];
  if (m_rare(gap)) mean = v_sel(gap, tally_mean(tally_of(in[0], p_count(p, 0))), mean);
  fit_of(in, p, c, v_set(p[2]) * v_abs(mean), out);
}

#define FIT(symbol, n_out, leaf)                                                                   \
  LADDER(symbol, {1, 3, n_out, line_base, line_merge, leaf})                                       \
  HY_IND_CODE(symbol) = {.step = symbol##_step,                                                    \
                         .group = symbol##_group,                                                  \
                         .lookback = least_two,                                                    \
                         .history = last,                                                          \
                         .stable = rest_two}

FIT(fit_qlib, N_FIT, fit_qlib_leaf);
FIT(fit_rel, N_FIT, fit_rel_leaf);

#define ONE_OF(symbol, whole, which)                                                               \
  HY_INLINE void symbol##_leaf(const double *const *in, const double *p, const lanes *c,           \
                               lanes *out) {                                                       \
    lanes all[N_FIT];                                                                              \
    whole(in, p, c, all);                                                                          \
    out[0] = all[which];                                                                           \
  }                                                                                                \
  FIT(symbol, 1, symbol##_leaf)

ONE_OF(slope_qlib, fit_qlib_leaf, SLOPE);
ONE_OF(rsquare_qlib, fit_qlib_leaf, RSQ);
ONE_OF(rsquare_rel, fit_rel_leaf, RSQ);
ONE_OF(resi_qlib, fit_qlib_leaf, RESI);
