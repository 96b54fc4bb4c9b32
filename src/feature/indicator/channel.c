/* SPDX-License-Identifier: Apache-2.0
 * Channels around an average of prices: Keltner's by the true range, the acceleration bands by the
 * bars' own width. Inputs: high, low, close. Outputs: upper, middle, lower. */
#include "feature/lane/nest.h"
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

enum { PREVIOUS = 0, MIDDLE = HY_LANES, RANGE = MIDDLE + EMA_DOUBLES, END = RANGE + EMA_DOUBLES };

static size_t keltner_last(const double *p) { return HY_MAX(p_count(p, 0) - 1, p_count(p, 1)); }
static size_t keltner_bytes(const double *p) { return (void)p, END * sizeof(double); }
static size_t keltner_stable(const double *p, double tol) {
  const size_t middle = ema_stable(2.0 / (p[0] + 1.0), tol), range = ema_stable(1.0 / p[1], tol);
  return HY_MAX(middle, range);
}

/* p: n, atr, k. Both averages have their first value at the same bar, the later of the two: the
 * other's seed leaves out what comes too early. */
static void keltner_step(const hy__ind_step *s) {
  const double n = s->p[0], n_range = s->p[1], bars = (double)keltner_last(s->p) + 1.0;
  const ema_rule middle_rule = {bars - n, n, 2.0 / (n + 1.0)};
  const ema_rule range_rule = {bars - n_range, n_range, 1.0 / n_range};
  const lanes k = v_set(s->p[2]);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes previous = v_load(state + PREVIOUS);
    ema middle = ema_load(state + MIDDLE), average = ema_load(state + RANGE);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes high = v_load(s->in[0] + at), low = v_load(s->in[1] + at);
      const lanes close = v_load(s->in[2] + at), typical = (high + low + close) / v_set(3.0);
      const lanes range = v_max(high - low, v_max(v_abs(high - previous), v_abs(low - previous)));
      const mask ok = v_ok(typical);
      mask ready;
      previous = v_sel(ok, close, previous);
      const lanes reach = k * ema_push(&average, range_rule, range, ok, &ready);
      const lanes e = ema_push(&middle, middle_rule, typical, ok, &ready);
      v_store(s->out[0] + at, v_keep(ready, v_fin(e + reach)));
      v_store(s->out[1] + at, v_keep(ready, v_fin(e)));
      v_store(s->out[2] + at, v_keep(ready, v_fin(e - reach)));
    }
    v_store(state + PREVIOUS, previous);
    ema_save(state + MIDDLE, middle);
    ema_save(state + RANGE, average);
  }
}
HY_IND_CODE(keltner) = {.step = keltner_step,
                        .lookback = keltner_last,
                        .state_bytes = keltner_bytes,
                        .stable = keltner_stable};

/* Means of H (1 + 4w), C and L (1 - 4w), w = (H-L) / (H+L). */
static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE void widened(const double *const *in, const double *p, lanes *out) {
  const lanes high = v_load(in[0]), low = v_load(in[1]);
  const lanes wide = v_ratio(v_set(4.0) * (high - low), high + low, v_zero());
  (void)p;
  out[0] = high * (v_set(1.0) + wide);
  out[1] = v_load(in[2]);
  out[2] = low * (v_set(1.0) - wide);
}
HY_INLINE void accbands_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  for (int i = 0; i < 3; i++) out[i] = v_sum_at(v, i, i, n) / v_set(p[0]);
}
static void accbands_step(const hy__ind_step *s) {
  const hy__ind_step over = nest_fill(s, (nest){3, 3, 3, p_count(s->p, 0), widened, NULL});
  tiles_map(&over, (tiling){3, 3, 3, p_count(s->p, 0), BLOCK, three_sums, accbands_leaf});
}
HY_IND_CODE(accbands) = {.step = accbands_step,
                         .lookback = last,
                         .history = last,
                         .state_bytes = nest_bytes,
                         .n_mid = 3,
                         .mid_rows = window};
