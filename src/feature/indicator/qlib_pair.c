/* SPDX-License-Identifier: Apache-2.0
 * As qlib has them: correlation over the pairs that a window holds whole, missing where either
 * series is as good as flat; comparisons that are false where something is missing; rises and falls
 * of a series. */
#include <math.h>

#include "feature/lane/blend.h"
#include "feature/lane/skip.h"

/* p: n, min. */
static size_t last(const double *p) { return last_of(p, 0); }
static size_t least_two(const double *p) { return HY_MAX(p_count(p, 1), (size_t)2) - 1; }
static size_t rest_two(const double *p, double tol) {
  return (void)tol, p_count(p, 0) - HY_MIN(p_count(p, 0), least_two(p) + 1);
}

/* Variances and means of both, each over the values that it has itself. */
typedef struct pairing {
  lanes r, var[2], mean[2];
} pairing;

/* What is too large to be multiplied has no correlation. */
HY_INLINE lanes pair_r(lanes xx, lanes yy, lanes xy) { return xy / v_sqrt(v_fin(xx * yy)); }

HY_INLINE pairing pair_of(const double *const *in, const double *p, const lanes *c) {
  const size_t n = p_count(p, 0);
  const lanes share = v_set(1.0 / (p[0] - 1.0));
  const mask gap = v_gap(c[0] + c[1]);
  pairing out = {pair_r(c[2], c[3], c[4]), {c[2] * share, c[3] * share}, {c[0], c[1]}};
  if (!m_rare(gap)) return out;
  const tally_pair t = tally_pair_of(in, n);
  const lanes xx = not_negative(t.xx - t.x * t.x / t.count);
  const lanes yy = not_negative(t.yy - t.y * t.y / t.count);
  const lanes r = pair_r(xx, yy, t.xy - t.x * t.y / t.count);
  out.r = v_patch(out.r, gap, r, v_ge(t.count, v_set(p[1])));
  for (int i = 0; i < 2; i++) {
    const tally own = tally_of(in[i], n);
    out.var[i] = v_sel(gap, tally_var(own), out.var[i]);
    out.mean[i] = v_sel(gap, tally_mean(own), out.mean[i]);
  }
  return out;
}

/* A variance that is missing, that of a single value, is not a small one. */
HY_INLINE lanes pair_kept(pairing m, lanes flat_x, lanes flat_y) {
  const lanes low = v_sel(v_lt(m.r, v_set(-1.0)), v_set(-1.0), m.r);
  const lanes r = v_sel(v_lt(v_set(1.0), low), v_set(1.0), low);
  const mask flat = m_or(v_le(m.var[0], flat_x * flat_x), v_le(m.var[1], flat_y * flat_y));
  return v_sel(flat, v_missing(), r);
}

static const double flat_std = 2e-5;

HY_INLINE void corr_leaf(const double *const *in, const double *p, const lanes *c, lanes *out) {
  out[0] = pair_kept(pair_of(in, p, c), v_set(flat_std), v_set(flat_std));
}
HY_INLINE void corr_rel_leaf(const double *const *in, const double *p, const lanes *c, lanes *out) {
  const pairing m = pair_of(in, p, c);
  const lanes share = v_set(p[2]);
  out[0] = pair_kept(m, share * m.mean[0], share * m.mean[1]);
}

#define CORR(symbol, leaf)                                                                         \
  LADDER(symbol, {2, 5, 1, pairs_base, pairs_merge, leaf})                                         \
  HY_IND_CODE(symbol) = {.step = symbol##_step,                                                    \
                         .group = symbol##_group,                                                  \
                         .lookback = least_two,                                                    \
                         .history = last,                                                          \
                         .stable = rest_two}

CORR(corr_qlib, corr_leaf);
CORR(corr_rel, corr_rel_leaf);

/* Inputs: x, y, @bar, which tells a missing value from a row before the series' start. */
#define COMPARE(symbol, is)                                                                        \
  static void symbol##_step(const hy__ind_step *s) {                                               \
    EACH_BLOCK(s, at) {                                                                            \
      const double *x = s->in[0] + at, *y = s->in[1] + at, *bar = s->in[2] + at;                   \
      double *restrict out = s->out[0] + at;                                                       \
      for (size_t i = 0; i < s->n * HY_LANES; i++) {                                               \
        const double truth = x[i] is y[i] ? 1.0 : 0.0;                                             \
        out[i] = bar[i] == bar[i] ? truth : (double)NAN;                                           \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  HY_IND_CODE(symbol) = {.step = symbol##_step}

COMPARE(gt_qlib, >);
COMPARE(lt_qlib, <);
COMPARE(ge_qlib, >=);
COMPARE(le_qlib, <=);
COMPARE(eq_qlib, ==);

/* ---- rises and falls: n changes, so n + 1 values ---- */

static size_t changes(const double *p) { return p_count(p, 0); }
static size_t least_change(const double *p) { return p_count(p, 1); }
static size_t rest_changes(const double *p, double tol) {
  return (void)tol, p_count(p, 0) - HY_MIN(p_count(p, 0), p_count(p, 1));
}

HY_INLINE lanes change(const double *x, size_t k) { return v_ago(x, k) - v_ago(x, k + 1); }
/* v_max's second argument stands where it is missing. */
HY_INLINE lanes rise(lanes d) { return v_max(v_zero(), d); }
HY_INLINE lanes fall(lanes d) { return v_max(v_zero(), v_zero() - d); }

/* Columns: sums of rises, of falls. */
HY_INLINE void updown_base(const double *const *in, size_t n, lanes *column) {
  const lanes first = change(in[0], 0);
  column[0] = rise(first);
  column[1] = fall(first);
  for (size_t k = 1; k < n; k++) {
    const lanes d = change(in[0], k);
    column[0] += rise(d);
    column[1] += fall(d);
  }
}
HY_INLINE void updown_merge(const lanes *newer, const lanes *older, double n_newer, double n_older,
                            lanes *column) {
  (void)n_newer, (void)n_older;
  column[0] = newer[0] + older[0];
  column[1] = newer[1] + older[1];
}

HY_INLINE void updown_leaf(const double *const *in, const double *p, const lanes *c, lanes *out) {
  const size_t n = p_count(p, 0);
  lanes sum[2] = {c[0], c[1]};
  const mask gap = v_gap(sum[0]);
  if (m_rare(gap)) {
    lanes count = v_zero(), up = v_zero(), down = v_zero();
    for (size_t k = 0; k < n; k++) {
      const lanes d = change(in[0], k);
      const mask known = v_ok(d);
      count = v_add_if(known, count, v_set(1.0));
      up = v_add_if(known, up, rise(d));
      down = v_add_if(known, down, fall(d));
    }
    const mask enough = v_ge(count, v_set(p[1]));
    sum[0] = v_patch(sum[0], gap, up, enough);
    sum[1] = v_patch(sum[1], gap, down, enough);
  }
  const lanes share = v_set(1.0) / ((sum[0] + sum[1]) + v_set(1e-12));
  out[0] = sum[0] * share;
  out[1] = sum[1] * share;
  out[2] = (sum[0] - sum[1]) * share;
}
LADDER(updown, {1, 2, 3, updown_base, updown_merge, updown_leaf})
HY_IND_CODE(updown_qlib) = {.step = updown_step,
                            .group = updown_group,
                            .lookback = least_change,
                            .history = changes,
                            .stable = rest_changes};
