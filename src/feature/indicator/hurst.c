/* SPDX-License-Identifier: Apache-2.0
 * Hurst's exponent by rescaled ranges: the slope of ln(R/S) on ln(length) over the lengths n, n/2,
 * n/4 .. of at least `least` returns, each cut into as many blocks as fit, from the newest back. */
#include "feature/lane/lane_real.h"
#include "feature/lane/nest.h"
#include "feature/lane/window.h"

static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE void return_inner(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_ln_ratio(v_load(in[0]), v_ago(in[0], 1));
}

typedef struct rescaled {
  lanes sum, count; /* of the blocks that move */
} rescaled;

/* The range of the running sum of deviations from the block's mean, over their deviation. Newest
 * first, the running sum is the other one turned round, so its range is the same. */
HY_INLINE void rescale(rescaled *r, const double *x, size_t n) {
  const lanes level = v_load(x), n_lanes = v_set((double)n);
  lanes sum = v_zero(), path = v_zero(), squares = v_zero(), high = v_zero(), low = v_zero();
  for (size_t k = 0; k < n; k++) sum += v_ago(x, k) - level;
  const lanes mean = sum / n_lanes;
  for (size_t k = 0; k < n; k++) {
    const lanes d = (v_ago(x, k) - level) - mean;
    path += d;
    squares += d * d;
    high = v_max(path, high);
    low = v_min(path, low);
  }
  const lanes deviation = v_sqrt(squares / n_lanes);
  const mask flat = v_eq(deviation, v_zero());
  r->sum += v_sel(flat, v_zero(), (high - low) / deviation);
  r->count += v_sel(flat, v_zero(), v_set(1.0));
}

HY_INLINE lanes ln_rescaled(const double *x, size_t n, size_t length) {
  rescaled r = {v_zero(), v_zero()};
  for (size_t k = 0; k + length <= n; k += length) rescale(&r, x - k * HY_LANES, length);
  return v_ln(v_ratio(r.sum, r.count, v_missing()));
}

HY_INLINE void hurst_outer(const double *const *mid, const double *p, lanes *out) {
  const size_t n = p_count(p, 0), least = p_count(p, 1);
  double count = 0.0, sum = 0.0, squares = 0.0;
  lanes up = v_zero();
  for (size_t m = n; m >= least; m /= 2, count += 1.0) sum += hy__ln((double)m);
  for (size_t m = n; m >= least; m /= 2) {
    const double place = hy__ln((double)m) - sum / count;
    squares += place * place;
    up += v_set(place) * ln_rescaled(mid[0], n, m);
  }
  out[0] = v_ratio(up, v_set(count < 2.0 ? 0.0 : squares), v_missing());
}
static void hurst_step(const hy__ind_step *s) {
  nest_map(s, (nest){1, 1, 1, p_count(s->p, 0), return_inner, hurst_outer});
}
HY_IND_CODE(hurst_rs) = {.step = hurst_step,
                         .lookback = window,
                         .history = window,
                         .state_bytes = nest_bytes,
                         .n_mid = 1,
                         .mid_rows = window};
