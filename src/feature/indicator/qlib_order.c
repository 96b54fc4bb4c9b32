/* SPDX-License-Identifier: Apache-2.0
 * As qlib has them: rank of the newest and quantiles among the values that a window holds. */
#include "feature/lane/skip.h"
#include "feature/lane/sorted.h"

static size_t window(const double *p) { return p_count(p, 0); }

/* Where between the m values of a window the share q lies. */
typedef struct place {
  size_t low, high;
  double part;
} place;

HY_INLINE place place_of(double q, size_t m) {
  const double at = ((double)m - 1.0) * (q < 0.0 ? 0.0 : q > 1.0 ? 1.0 : q);
  const size_t low = (size_t)at;
  return (place){low, HY_MIN(low + 1, m - 1), at - (double)low};
}

HY_INLINE lanes sorted_at(const double *sorted, place at) {
  const lanes a = v_load(sorted + at.low * HY_LANES), b = v_load(sorted + at.high * HY_LANES);
  return v_fin(a + (b - a) * v_set(at.part));
}

/* Lanes with other counts of values, one by one. */
HY_INLINE lanes sorted_skipping(const double *sorted, size_t n, lanes missing, double q) {
  double value[LANE_WIDTH], gone[LANE_WIDTH];
  v_store(gone, missing);
  for (size_t k = 0; k < LANE_WIDTH; k++) {
    const size_t m = n - (size_t)gone[k];
    const place at = place_of(q, HY_MAX(m, (size_t)1));
    const double a = sorted[at.low * HY_LANES + k], b = sorted[at.high * HY_LANES + k];
    value[k] = a + (b - a) * at.part;
  }
  return v_fin(v_load(value));
}

/* The quantiles q; with two of them output 0 holds the rank, which becomes a share. */
HY_INLINE void sorted_run(const hy__ind_step *given, const double *q, int n_q, double min,
                          size_t g) {
  own_step own;
  const hy__ind_step *const s = step_own(given, &own);
  const size_t n = p_count(s->p, 0);
  double *const *const quantile = n_q == 1 ? s->out : s->out + 1;
  double *const state = (double *)s->state + g, *const sorted = state + SORTED;
  const mask fresh = v_eq(v_load(state), v_zero());
  if (m_any(fresh)) sorted_prime(s->in[0] + g, state, n, fresh);
  lanes missing = v_load(state + MISSING);
  for (size_t t = 0; t < s->n; t++) {
    const size_t at = t * HY_LANES + g;
    const double *const x = s->in[0] + at;
    const lanes old = v_ago(x, n), value = v_load(x);
    sorted_put(sorted, n, old, value);
    missing = count_missing(missing, old, value);
    const lanes count = v_set((double)n) - missing;
    const mask enough = v_ge(count, v_set(min));
    const bool whole = !m_rare(v_gt(missing, v_zero()));
    for (int i = 0; i < n_q; i++) {
      const lanes found =
          whole ? sorted_at(sorted, place_of(q[i], n)) : sorted_skipping(sorted, n, missing, q[i]);
      v_store(quantile[i] + at, v_keep(enough, found));
    }
    if (n_q == 2) {
      const lanes rank = v_load(s->out[0] + at);
      v_store(s->out[0] + at, v_keep(m_and(enough, v_ok(value)), rank / count));
    }
  }
  v_store(state + MISSING, missing);
}

/* ---- ranks: values below the newest, those that equal it by half; counts are exact ---- */

/* A missing value is neither below nor above. Goes on from what `before` has of the newer values.
 */
HY_INLINE void rank_rows(const hy__ind_step *s, const double *before, size_t from, size_t n,
                         size_t g) {
  const lanes half = v_set(0.5);
  for (size_t t = 0; t < s->n; t++) {
    const size_t at = t * HY_LANES + g;
    const double *const x = s->in[0] + at - from * HY_LANES;
    const lanes newest = v_load(s->in[0] + at);
    lanes under = v_zero(), upto = before ? v_load(before + at) : v_set(1.0);
    for (size_t k = 0; k < n; k++) {
      under = v_add_if(v_lt(v_ago(x, k), newest), under, half);
      upto = v_add_if(v_le(v_ago(x, k), newest), upto, half);
    }
    v_store(s->out[0] + at, under + upto);
  }
}
HY_INLINE void rank_part(const hy__ind_step *given, const double *before, size_t from, size_t g) {
  own_step own;
  const hy__ind_step *const s = step_own(given, &own);
  const size_t n = p_count(s->p, 0) - from;
  switch (n) { /* without loops */
  case 5: rank_rows(s, before, from, 5, g); break;
  case 10: rank_rows(s, before, from, 10, g); break;
  case 30: rank_rows(s, before, from, 30, g); break;
  default: rank_rows(s, before, from, n, g);
  }
}

/* The rank of a window that is longer than the one before it goes on from that one's. */
HY_INLINE void ranks_run(const hy__ind_step *const *steps, size_t n_steps, size_t g) {
  for (size_t i = 0; i < n_steps; i++) {
    const size_t done = i == 0 ? 0 : p_count(steps[i - 1]->p, 0);
    if (done != 0 && done <= p_count(steps[i]->p, 0))
      rank_part(steps[i], steps[i - 1]->out[0], done, g);
    else
      rank_part(steps[i], NULL, 1, g);
  }
}

/* p: n, low, high, min. Outputs: rank, lower, upper. */
static size_t order_least(const double *p) { return p_count(p, 3) - 1; }
static size_t order_rest(const double *p, double tol) {
  return (void)tol, p_count(p, 0) - HY_MIN(p_count(p, 0), p_count(p, 3));
}
static void order_group(const hy__ind_step *const *steps, size_t n) {
  EACH_GROUP(steps[0], g) {
    ranks_run(steps, n, g);
    for (size_t i = 0; i < n; i++) sorted_run(steps[i], steps[i]->p + 1, 2, steps[i]->p[3], g);
  }
}
static void order_step(const hy__ind_step *s) { order_group(&s, 1); }
HY_IND_CODE(order_qlib) = {.step = order_step,
                           .group = order_group,
                           .lookback = order_least,
                           .history = window,
                           .state_bytes = sorted_bytes,
                           .stable = order_rest};

/* p: n, q, min. */
static size_t quantile_least(const double *p) { return p_count(p, 2) - 1; }
static size_t quantile_rest(const double *p, double tol) {
  return (void)tol, p_count(p, 0) - HY_MIN(p_count(p, 0), p_count(p, 2));
}
static void quantile_step(const hy__ind_step *s) {
  EACH_GROUP(s, g) sorted_run(s, s->p + 1, 1, s->p[2], g);
}
HY_IND_CODE(quantile_qlib) = {.step = quantile_step,
                              .lookback = quantile_least,
                              .history = window,
                              .state_bytes = sorted_bytes,
                              .stable = quantile_rest};

/* p: n, min. */
static size_t last(const double *p) { return last_of(p, 0); }
static size_t least(const double *p) { return p_count(p, 1) - 1; }
static size_t rest(const double *p, double tol) {
  return (void)tol, p_count(p, 0) - HY_MIN(p_count(p, 0), p_count(p, 1));
}
static void median_step(const hy__ind_step *s) {
  static const double middle[] = {0.5};
  EACH_GROUP(s, g) sorted_run(s, middle, 1, s->p[1], g);
}
HY_IND_CODE(median_qlib) = {.step = median_step,
                            .lookback = least,
                            .history = window,
                            .state_bytes = sorted_bytes,
                            .stable = rest};

/* Missing values are neither below nor above. */
HY_INLINE void rank_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes newest = v_load(in[0]), half = v_set(0.5);
  lanes under = v_zero(), upto = v_zero(), count = v_zero();
  for (size_t k = 0; k < n; k++) {
    const lanes x = v_ago(in[0], k);
    under = v_add_if(v_lt(x, newest), under, half);
    upto = v_add_if(v_le(x, newest), upto, half);
    count = v_add_if(v_ok(x), count, v_set(1.0));
  }
  const lanes rank = ((under + upto) + half) / count;
  out[0] = v_keep(m_and(v_ok(newest), v_ge(count, v_set(p[1]))), rank);
}
static void rank_step(const hy__ind_step *s) { rows_map(s, 1, 1, rank_row); }
HY_IND_CODE(rank_qlib) = {.step = rank_step, .lookback = least, .history = last, .stable = rest};
