/* SPDX-License-Identifier: Apache-2.0
 * Order statistics over one window: ranks of the newest, quantiles, the median of deviations. */
#include "feature/lane/sorted.h"
#include "feature/lane/window.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

/* Average rank of the newest among equals, over n: half of those below it and half of those not
 * above it, and half a place. */
HY_INLINE void rank_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes newest = v_load(in[0]), half = v_set(0.5);
  lanes below0 = v_zero(), below1 = v_zero(), upto0 = v_zero(), upto1 = v_zero();
  lanes sum0 = v_zero(), sum1 = v_zero();
  size_t k = 0;
  for (; k + 2 <= n; k += 2) {
    const lanes x0 = v_ago(in[0], k), x1 = v_ago(in[0], k + 1);
    below0 = v_add_if(v_lt(x0, newest), below0, half);
    below1 = v_add_if(v_lt(x1, newest), below1, half);
    upto0 = v_add_if(v_le(x0, newest), upto0, half);
    upto1 = v_add_if(v_le(x1, newest), upto1, half);
    sum0 += x0;
    sum1 += x1;
  }
  if (k < n) {
    const lanes x = v_ago(in[0], k);
    below0 = v_add_if(v_lt(x, newest), below0, half);
    upto0 = v_add_if(v_le(x, newest), upto0, half);
    sum0 += x;
  }
  const lanes rank = ((below0 + below1) + (upto0 + upto1)) + half;
  out[0] = v_keep(v_ok(sum0 + sum1), rank / v_set(p[0]));
}
static void rank_step(const hy__ind_step *s) { rows_map(s, 1, 1, rank_row); }
HY_IND_CODE(rank_pct_avg) = {.step = rank_step, .lookback = last, .history = last};

/* The share of the n values before the newest that lie below it. */
HY_INLINE void percentrank_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes newest = v_load(in[0]), one = v_set(1.0);
  lanes below = v_zero(), sum = newest;
  for (size_t k = 1; k <= n; k++) {
    const lanes x = v_ago(in[0], k);
    below = v_add_if(v_lt(x, newest), below, one);
    sum += x;
  }
  out[0] = v_keep(v_ok(sum), v_set(100.0) * below / v_set(p[0]));
}
static void percentrank_step(const hy__ind_step *s) { rows_map(s, 1, 1, percentrank_row); }
HY_IND_CODE(percentrank_talib) = {.step = percentrank_step, .lookback = window, .history = window};

/* What a leaf makes of the n sorted values of a window. */
typedef lanes (*sorted_fn)(const double *sorted, size_t n, const double *p);

HY_INLINE void sorted_map(const hy__ind_step *given, sorted_fn leaf) {
  own_step own;
  const hy__ind_step *const s = step_own(given, &own);
  const size_t n = p_count(s->p, 0);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    const mask fresh = v_eq(v_load(state), v_zero());
    if (m_any(fresh)) sorted_prime(s->in[0] + g, state, n, fresh);
    lanes missing = v_load(state + MISSING);
    for (size_t t = 0; t < s->n; t++) {
      const double *const x = s->in[0] + t * HY_LANES + g;
      const lanes old = v_ago(x, n), value = v_load(x);
      sorted_put(state + SORTED, n, old, value);
      missing = count_missing(missing, old, value);
      const lanes out = leaf(state + SORTED, n, s->p);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(v_le(missing, v_zero()), v_fin(out)));
    }
    v_store(state + MISSING, missing);
  }
}

HY_INLINE lanes at_place(const double *sorted, size_t k) { return v_load(sorted + k * HY_LANES); }
HY_INLINE double within(double a, double most) { return a < 0.0 ? 0.0 : a > most ? most : a; }

/* The value at share q, linearly between neighbours. */
HY_INLINE lanes between(const double *sorted, size_t n, double q) {
  const double place = ((double)n - 1.0) * within(q, 1.0);
  const size_t low = (size_t)place;
  const lanes a = at_place(sorted, low), b = at_place(sorted, HY_MIN(low + 1, n - 1));
  return a + (b - a) * v_set(place - (double)low);
}
HY_INLINE lanes quantile_leaf(const double *sorted, size_t n, const double *p) {
  return between(sorted, n, p[1]);
}
static void quantile_step(const hy__ind_step *s) { sorted_map(s, quantile_leaf); }
HY_IND_CODE(quantile) = {
    .step = quantile_step, .lookback = last, .history = window, .state_bytes = sorted_bytes};

HY_INLINE lanes median_leaf(const double *sorted, size_t n, const double *p) {
  return (void)p, between(sorted, n, 0.5);
}
static void median_step(const hy__ind_step *s) { sorted_map(s, median_leaf); }
HY_IND_CODE(median) = {
    .step = median_step, .lookback = last, .history = window, .state_bytes = sorted_bytes};

/* The smallest value with at least pct percent of the window at or below it. */
HY_INLINE lanes percentile_leaf(const double *sorted, size_t n, const double *p) {
  const double share = within(p[1], 100.0) / 100.0 * (double)n;
  const size_t whole = (size_t)share, upto = whole + ((double)whole < share ? 1 : 0);
  return at_place(sorted, HY_MIN(HY_MAX(upto, 1), n) - 1);
}
static void percentile_step(const hy__ind_step *s) { sorted_map(s, percentile_leaf); }
HY_IND_CODE(percentile_talib) = {
    .step = percentile_step, .lookback = last, .history = window, .state_bytes = sorted_bytes};

/* The k values that lie nearest to a middle are neighbours, so the k-th smallest deviation from it
 * is the least, over all runs of k neighbours, of the larger deviation of a run's two ends. */
HY_INLINE lanes nearest_run(const double *sorted, size_t first, size_t k, lanes middle) {
  return v_max(middle - at_place(sorted, first), at_place(sorted, first + k - 1) - middle);
}
HY_INLINE lanes kth_deviation(const double *sorted, size_t n, size_t k, lanes middle) {
  lanes best = nearest_run(sorted, 0, k, middle);
  for (size_t i = 1; i + k <= n; i++) best = v_min(best, nearest_run(sorted, i, k, middle));
  return best;
}
HY_INLINE lanes mad_median_leaf(const double *sorted, size_t n, const double *p) {
  const lanes middle = between(sorted, n, 0.5);
  const size_t low = (n + 1) / 2, high = n / 2 + 1;
  const lanes a = kth_deviation(sorted, n, low, middle);
  (void)p;
  if (low == high) return a;
  return (a + kth_deviation(sorted, n, high, middle)) * v_set(0.5);
}
static void mad_median_step(const hy__ind_step *s) { sorted_map(s, mad_median_leaf); }
HY_IND_CODE(mad_median) = {
    .step = mad_median_step, .lookback = last, .history = window, .state_bytes = sorted_bytes};
