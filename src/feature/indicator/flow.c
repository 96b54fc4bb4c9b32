/* SPDX-License-Identifier: Apache-2.0
 * Money flow: what a bar's place in its range says about its volume. Inputs: high, low, close,
 * volume. */
#include "feature/lane/nest.h"
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

static size_t none(const double *p) { return (void)p, 0; }
static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE lanes typical(const double *const *in, size_t k) {
  return (v_ago(in[0], k) + v_ago(in[1], k) + v_ago(in[2], k)) / v_set(3.0);
}

/* ((C-L) - (H-C)) / (H-L) * V, 0 where the bar has no range. */
HY_INLINE lanes located(const double *const *in) {
  const lanes high = v_load(in[0]), low = v_load(in[1]), close = v_load(in[2]);
  return v_ratio((close - low) - (high - close), high - low, v_zero()) * v_load(in[3]);
}

/* Typical prices within 1e-14 of their sum are equal, as in TA-Lib: on a grid of ticks equal ones
 * differ by rounding alone, and its sign would decide where the flow goes. */
HY_INLINE void mfi_inner(const double *const *in, const double *p, lanes *out) {
  const lanes now = typical(in, 0), before = typical(in, 1), flow = now * v_load(in[3]);
  const lanes step = now - before, equal = v_set(1e-14) * (v_abs(now) + v_abs(before));
  const lanes none_or_missing = flow - flow + (before - before);
  (void)p;
  out[0] = v_sel(v_lt(equal, step), flow, none_or_missing);
  out[1] = v_sel(v_lt(step, v_zero() - equal), flow, none_or_missing);
}
HY_INLINE void mfi_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes up = v_sum_at(v, 0, 0, n), down = v_sum_at(v, 1, 1, n);
  out[0] = v_set(100.0) * v_ratio(up, up + down, v_zero());
}
/* Windows over two derived columns, their sums of four rows made once. */
HY_INLINE void over_two(const hy__ind_step *s, hy__row_fn inner, view_fn leaf) {
  const size_t n = p_count(s->p, 0);
  const hy__ind_step over = nest_fill(s, (nest){4, 2, 1, n, inner, NULL});
  tiles_map(&over, (tiling){2, 2, 1, n, BLOCK, two_sums, leaf});
}
static void mfi_step(const hy__ind_step *s) { over_two(s, mfi_inner, mfi_leaf); }
HY_IND_CODE(mfi) = {.step = mfi_step,
                    .lookback = window,
                    .history = window,
                    .state_bytes = nest_bytes,
                    .n_mid = 2,
                    .mid_rows = window};

HY_INLINE void cmf_inner(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = located(in);
  out[1] = v_load(in[3]);
}
HY_INLINE void cmf_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_ratio(v_sum_at(v, 0, 0, n), v_sum_at(v, 1, 1, n), v_zero());
}
static void cmf_step(const hy__ind_step *s) { over_two(s, cmf_inner, cmf_leaf); }
HY_IND_CODE(cmf) = {.step = cmf_step,
                    .lookback = last,
                    .history = last,
                    .state_bytes = nest_bytes,
                    .n_mid = 2,
                    .mid_rows = window};

static size_t ad_bytes(const double *p) { return (void)p, HY_LANES * sizeof(double); }
static void ad_step(const hy__ind_step *s) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes total = v_load(state);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const double *const in[4] = {s->in[0] + at, s->in[1] + at, s->in[2] + at, s->in[3] + at};
      const lanes flow = located(in);
      const mask ok = v_ok(flow);
      total = v_sel(ok, total + flow, total);
      v_store(s->out[0] + at, v_keep(ok, v_fin(total)));
    }
    v_store(state, total);
  }
}
HY_IND_CODE(ad) = {.step = ad_step, .lookback = none, .state_bytes = ad_bytes};

/* Fast minus slow average of the line, both started at its first value. */
enum { AD = 0, FAST = HY_LANES, SLOW = FAST + EMA_DOUBLES, ADOSC_END = SLOW + EMA_DOUBLES };

static double slow_of(const double *p) { return HY_MAX(p[0], p[1]); }
static size_t adosc_last(const double *p) { return (size_t)slow_of(p) - 1; }
static size_t adosc_bytes(const double *p) { return (void)p, ADOSC_END * sizeof(double); }
static size_t adosc_stable(const double *p, double tol) {
  return ema_stable(2.0 / (slow_of(p) + 1.0), tol);
}
/* What the average has counted past its seed is its warm-up, up to `full`. */
static void adosc_step(const hy__ind_step *s) {
  const ema_rule fast_rule = {0, 1, 2.0 / (s->p[0] + 1.0)},
                 slow_rule = {0, 1, 2.0 / (s->p[1] + 1.0)};
  const lanes full = v_set(slow_of(s->p));
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes total = v_load(state + AD);
    ema fast = ema_load(state + FAST), slow = ema_load(state + SLOW);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const double *const in[4] = {s->in[0] + at, s->in[1] + at, s->in[2] + at, s->in[3] + at};
      const lanes flow = located(in), count = slow.count;
      const mask ok = v_ok(flow);
      mask ready;
      total = v_sel(ok, total + flow, total);
      const lanes f = ema_push(&fast, fast_rule, total, ok, &ready);
      const lanes w = ema_push(&slow, slow_rule, total, ok, &ready);
      slow.count = v_sel(ok, v_min(count + v_set(1.0), full), count);
      v_store(s->out[0] + at, v_keep(m_and(ok, m_steady(v_le(full, slow.count))), v_fin(f - w)));
    }
    v_store(state + AD, total);
    ema_save(state + FAST, fast);
    ema_save(state + SLOW, slow);
  }
}
HY_IND_CODE(adosc) = {
    .step = adosc_step, .lookback = adosc_last, .state_bytes = adosc_bytes, .stable = adosc_stable};
