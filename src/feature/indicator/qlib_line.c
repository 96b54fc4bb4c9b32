/* SPDX-License-Identifier: Apache-2.0
 * As qlib has them, sums, means, deviations and lines over the values that a window holds; missing
 * ones are passed over, and `min` values are enough. */
#include "feature/skip.h"

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

HY_INLINE void sum_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const mask gap = v_gap(out[0] = v_sum(v, n));
  if (!m_rare(gap)) return;
  const tally t = tally_of(v.in[0], n);
  out[0] = v_patch(out[0], gap, t.sum + t.level * t.count, v_ge(t.count, v_set(p[1])));
}
static void sum_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 1, 1, p_count(s->p, 0), BLOCK, sum_block, sum_leaf});
}
HY_IND_CODE(sum_qlib) = {.step = sum_step, .lookback = least, .history = last, .stable = rest};

HY_INLINE void mean_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes sum = v_sum(v, n);
  const mask gap = v_gap(sum);
  out[0] = sum / v_set(p[0]);
  if (!m_rare(gap)) return;
  const tally t = tally_of(v.in[0], n);
  out[0] = v_patch(out[0], gap, tally_mean(t), v_ge(t.count, v_set(p[1])));
}
static void mean_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 1, 1, p_count(s->p, 0), BLOCK, sum_block, mean_leaf});
}
HY_IND_CODE(sma_qlib) = {.step = mean_step, .lookback = least, .history = last, .stable = rest};

HY_INLINE void std_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const spread s = v_spread(v, n);
  const mask gap = v_gap(s.squares);
  out[0] = v_std(s, p[0], 1.0);
  if (!m_rare(gap)) return;
  const tally t = tally_of(v.in[0], n);
  out[0] = v_patch(out[0], gap, tally_std(t), v_ge(t.count, v_set(p[1])));
}
static void std_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 2, 1, p_count(s->p, 0), BLOCK, spread_block, std_leaf});
}
HY_IND_CODE(std_qlib) = {
    .step = std_step, .lookback = least_two, .history = last, .stable = rest_two};

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
HY_INLINE void fit_of(view v, const double *p, lanes flat, lanes *out) {
  const size_t n = p_count(p, 0);
  const fit f = v_fit(v, n);
  const mask gap = v_gap(f.squares);
  out[STD] = v_sqrt(f.squares / v_set(p[0] - 1.0));
  out[SLOPE] = f.slope;
  out[RSQ] = f.slope * f.slope * v_set(f.spread) / f.squares;
  out[RESI] = (v_load(v.in[0]) - f.level) - line(f, 0.0);
  if (m_rare(gap)) fit_skipping(v.in[0], p, gap, out);
  const lanes share = v_sel(v_lt(v_set(1.0), out[RSQ]), v_set(1.0), out[RSQ]);
  out[RSQ] = v_keep(v_gt(out[STD], flat), share);
}

static const double flat_std = 2e-5;

/* The mean of a window with gaps is looked for among the values that are there. */
HY_INLINE lanes size_of_mean(view v, size_t n) {
  const lanes sum = v_sum(v, n);
  const mask gap = v_gap(sum);
  const lanes mean = sum / v_set((double)n);
  return v_abs(m_rare(gap) ? v_sel(gap, tally_mean(tally_of(v.in[0], n)), mean) : mean);
}

HY_INLINE void fit_qlib_leaf(view v, const double *p, lanes *out) {
  fit_of(v, p, v_set(flat_std), out);
}
HY_INLINE void fit_rel_leaf(view v, const double *p, lanes *out) {
  fit_of(v, p, v_set(p[2]) * size_of_mean(v, p_count(p, 0)), out);
}

#define FIT(symbol, n_out, leaf)                                                                   \
  static void symbol##_step(const hy__ind_step *s) {                                               \
    tiles_map(s, (tiling){1, 3, n_out, p_count(s->p, 0), BLOCK, fit_block, leaf});                 \
  }                                                                                                \
  HY_IND_CODE(symbol) = {                                                                          \
      .step = symbol##_step, .lookback = least_two, .history = last, .stable = rest_two}

FIT(fit_qlib, N_FIT, fit_qlib_leaf);
FIT(fit_rel, N_FIT, fit_rel_leaf);

#define ONE_OF(symbol, whole, which)                                                               \
  HY_INLINE void symbol##_leaf(view v, const double *p, lanes *out) {                              \
    lanes all[N_FIT];                                                                              \
    whole(v, p, all);                                                                              \
    out[0] = all[which];                                                                           \
  }                                                                                                \
  FIT(symbol, 1, symbol##_leaf)

ONE_OF(slope_qlib, fit_qlib_leaf, SLOPE);
ONE_OF(rsquare_qlib, fit_qlib_leaf, RSQ);
ONE_OF(rsquare_rel, fit_rel_leaf, RSQ);
ONE_OF(resi_qlib, fit_qlib_leaf, RESI);
