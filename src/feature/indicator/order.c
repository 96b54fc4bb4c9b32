/* SPDX-License-Identifier: Apache-2.0
 * Order statistics over one window: rank of the newest, quantiles. */
#include "feature/window.h"

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

/* The window stands sorted in the state, a missing value as +infinity: a row that says
 * which lanes are primed, a row of missing values' counts, n rows of values, one of padding.
 */
enum { MISSING = HY_LANES, SORTED = 2 * HY_LANES };

static size_t sorted_bytes(const double *p) {
  return (SORTED + (p_count(p, 0) + 1) * HY_LANES) * sizeof(double);
}

/* One pass takes `old` out and puts `value` in, all lanes at once: from the first element that is
 * not below `old` on, the elements move down by one; each place then gets the middle of its two
 * neighbours and the value. */
HY_INLINE void sorted_replace(double *sorted, size_t n, lanes old, lanes value) {
  const lanes take = or_high(old), put = or_high(value);
  lanes below = v_set(-__builtin_inf()), here = v_load(sorted);
  for (size_t i = 0; i < n; i++) {
    const lanes next = v_load(sorted + (i + 1) * HY_LANES);
    const lanes kept = v_sel(v_lt(here, take), here, next);
    v_store(sorted + i * HY_LANES, v_min(v_max(below, put), kept));
    below = kept;
    here = next;
  }
}

HY_INLINE lanes count_missing(lanes count, lanes old, lanes value) {
  const lanes one = v_set(1.0);
  return count + (v_sel(v_ok(value), v_zero(), one) - v_sel(v_ok(old), v_zero(), one));
}

/* Fills the lanes of `fresh` from the n values before x; in the others nothing is taken and nothing
 * put. */
HY_INLINE void sorted_prime(const double *x, double *state, size_t n, mask fresh) {
  const lanes none = v_set(__builtin_inf());
  lanes missing = v_set((double)n);
  for (size_t i = 0; i <= n; i++) {
    double *const at = state + SORTED + i * HY_LANES;
    v_store(at, v_sel(fresh, none, v_load(at)));
  }
  for (size_t k = n; k > 0; k--) {
    const lanes value = v_keep(fresh, v_ago(x, k));
    sorted_replace(state + SORTED, n, v_missing(), value);
    missing = count_missing(missing, v_missing(), value);
  }
  v_store(state + MISSING, v_sel(fresh, missing, v_load(state + MISSING)));
  v_store(state, v_set(1.0));
}

/* The value at share q between the sorted ones, linearly between neighbours. */
HY_INLINE void sorted_run(const hy__ind_step *s, double q) {
  const size_t n = p_count(s->p, 0);
  const double place = ((double)n - 1.0) * (q < 0.0 ? 0.0 : q > 1.0 ? 1.0 : q);
  const size_t low = (size_t)place, high = HY_MIN(low + 1, n - 1);
  const lanes part = v_set(place - (double)low);
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    double *const state = (double *)s->state + g;
    const double *const sorted = state + SORTED;
    const mask fresh = v_eq(v_load(state), v_zero());
    if (m_any(fresh)) sorted_prime(s->in[0] + g, state, n, fresh);
    lanes missing = v_load(state + MISSING);
    for (size_t t = 0; t < s->n; t++) {
      const double *const x = s->in[0] + t * HY_LANES + g;
      const lanes old = v_ago(x, n), value = v_load(x);
      sorted_replace(state + SORTED, n, old, value);
      missing = count_missing(missing, old, value);
      const lanes a = v_load(sorted + low * HY_LANES), b = v_load(sorted + high * HY_LANES);
      v_store(s->out[0] + t * HY_LANES + g,
              v_keep(v_le(missing, v_zero()), v_fin(a + (b - a) * part)));
    }
    v_store(state + MISSING, missing);
  }
}

static void quantile_step(const hy__ind_step *s) { sorted_run(s, s->p[1]); }
HY_IND_CODE(quantile) = {
    .step = quantile_step, .lookback = last, .history = window, .state_bytes = sorted_bytes};

static void median_step(const hy__ind_step *s) { sorted_run(s, 0.5); }
HY_IND_CODE(median) = {
    .step = median_step, .lookback = last, .history = window, .state_bytes = sorted_bytes};
