/* SPDX-License-Identifier: Apache-2.0
 * Wilder's directional movement. Inputs: high, low, close. The movements and the true range are
 * Wilder sums: plain sums of the first n-1 bars that have a predecessor, then s - s/n + x. */
#include "feature/lane/recur.h"

enum {
  HIGH = 0,
  LOW = HY_LANES,
  CLOSE = 2 * HY_LANES,
  COUNT = 3 * HY_LANES, /* bars seen, up to n + 1 */
  PLUS = 4 * HY_LANES,
  MINUS = 5 * HY_LANES,
  RANGE = 6 * HY_LANES,
  ADX = 7 * HY_LANES,
  END = ADX + EMA_DOUBLES
};

typedef struct movement {
  lanes high, low, close, count, plus, minus, range;
} movement;

HY_INLINE movement movement_load(const double *state) {
  return (movement){v_load(state + HIGH),  v_load(state + LOW),  v_load(state + CLOSE),
                    v_load(state + COUNT), v_load(state + PLUS), v_load(state + MINUS),
                    v_load(state + RANGE)};
}
HY_INLINE void movement_save(double *state, movement m) {
  v_store(state + HIGH, m.high);
  v_store(state + LOW, m.low);
  v_store(state + CLOSE, m.close);
  v_store(state + COUNT, m.count);
  v_store(state + PLUS, m.plus);
  v_store(state + MINUS, m.minus);
  v_store(state + RANGE, m.range);
}

/* Takes a bar; the lanes that now hold at least `least` bars are returned. */
HY_INLINE mask movement_push(movement *m, const double *const *in, double n, double least) {
  const lanes high = v_load(in[0]), low = v_load(in[1]), close = v_load(in[2]);
  const mask ok = m_and(v_ok(high - low), v_ok(close));
  const mask moved = m_and(ok, m_steady(v_lt(v_zero(), m->count)));
  const mask rolling = m_steady(v_le(v_set(n), m->count));
  const lanes up = high - m->high, down = m->low - low, share = v_set(1.0 / n);
  const lanes plus = v_only(m_and(v_lt(v_zero(), up), v_lt(down, up)), up);
  const lanes minus = v_only(m_and(v_lt(v_zero(), down), v_lt(up, down)), down);
  const lanes range = v_max(high - low, v_max(v_abs(high - m->close), v_abs(low - m->close)));
  m->plus = v_sel(moved, m->plus - v_only(rolling, m->plus * share) + plus, m->plus);
  m->minus = v_sel(moved, m->minus - v_only(rolling, m->minus * share) + minus, m->minus);
  m->range = v_sel(moved, m->range - v_only(rolling, m->range * share) + range, m->range);
  m->high = v_sel(ok, high, m->high);
  m->low = v_sel(ok, low, m->low);
  m->close = v_sel(ok, close, m->close);
  m->count = v_sel(ok, v_min(m->count + v_set(1.0), v_set(n + 1.0)), m->count);
  return m_and(ok, m_steady(v_le(v_set(least), m->count)));
}

HY_INLINE lanes directional(movement m) {
  const lanes plus = v_ratio(v_set(100.0) * m.plus, m.range, v_zero());
  const lanes minus = v_ratio(v_set(100.0) * m.minus, m.range, v_zero());
  return v_ratio(v_set(100.0) * v_abs(plus - minus), plus + minus, v_zero());
}

typedef lanes (*form_fn)(movement m);

HY_INLINE void run(const hy__ind_step *s, double least, form_fn form) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    movement m = movement_load(state);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const double *const in[3] = {s->in[0] + at, s->in[1] + at, s->in[2] + at};
      const mask ready = movement_push(&m, in, s->p[0], least);
      v_store(s->out[0] + at, v_keep(ready, v_fin(form(m))));
    }
    movement_save(state, m);
  }
}

static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }
static size_t stable(const double *p, double tol) { return ema_stable(1.0 / p[0], tol); }
static size_t window(const double *p) { return p_count(p, 0); }
static size_t sum_last(const double *p) { return HY_MAX(p_count(p, 0) - 1, 1); }

HY_INLINE lanes plus_dm(movement m) { return m.plus; }
static void plus_dm_step(const hy__ind_step *s) { run(s, HY_MAX(s->p[0], 2.0), plus_dm); }
HY_IND_CODE(plus_dm) = {
    .step = plus_dm_step, .lookback = sum_last, .state_bytes = bytes, .stable = stable};

HY_INLINE lanes minus_dm(movement m) { return m.minus; }
static void minus_dm_step(const hy__ind_step *s) { run(s, HY_MAX(s->p[0], 2.0), minus_dm); }
HY_IND_CODE(minus_dm) = {
    .step = minus_dm_step, .lookback = sum_last, .state_bytes = bytes, .stable = stable};

HY_INLINE lanes plus_di(movement m) { return v_ratio(v_set(100.0) * m.plus, m.range, v_zero()); }
static void plus_di_step(const hy__ind_step *s) { run(s, s->p[0] + 1.0, plus_di); }
HY_IND_CODE(plus_di) = {
    .step = plus_di_step, .lookback = window, .state_bytes = bytes, .stable = stable};

HY_INLINE lanes minus_di(movement m) { return v_ratio(v_set(100.0) * m.minus, m.range, v_zero()); }
static void minus_di_step(const hy__ind_step *s) { run(s, s->p[0] + 1.0, minus_di); }
HY_IND_CODE(minus_di) = {
    .step = minus_di_step, .lookback = window, .state_bytes = bytes, .stable = stable};

static void dx_step(const hy__ind_step *s) { run(s, s->p[0] + 1.0, directional); }
HY_IND_CODE(dx) = {.step = dx_step, .lookback = window, .state_bytes = bytes, .stable = stable};

/* Wilder's average of dx, and with `back` the mean of it and its value `back` rows ago, which
 * stands in the hidden column. */
HY_INLINE void adx_run(const hy__ind_step *s, size_t back) {
  const ema_rule rule = ema_wilder(s->p[0]);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    movement m = movement_load(state);
    ema adx = ema_load(state + ADX);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const double *const in[3] = {s->in[0] + at, s->in[1] + at, s->in[2] + at};
      mask ready = movement_push(&m, in, s->p[0], s->p[0] + 1.0);
      lanes value = ema_push(&adx, rule, directional(m), ready, &ready);
      if (back > 0) {
        double *const column = s->mid[0] + at;
        const lanes old = v_load(column - back * HY_LANES);
        v_store(column, v_keep(ready, value));
        value = (value + old) * v_set(0.5);
      }
      v_store(s->out[0] + at, v_keep(ready, v_fin(value)));
    }
    movement_save(state, m);
    ema_save(state + ADX, adx);
  }
}

static size_t adx_last(const double *p) { return 2 * p_count(p, 0) - 1; }
static size_t adx_stable(const double *p, double tol) { return 2 * stable(p, tol); }
static void adx_step(const hy__ind_step *s) { adx_run(s, 0); }
HY_IND_CODE(adx) = {
    .step = adx_step, .lookback = adx_last, .state_bytes = bytes, .stable = adx_stable};

static size_t adxr_back(const double *p) { return HY_MAX(p_count(p, 0) - 1, 1); }
static size_t adxr_last(const double *p) { return adx_last(p) + adxr_back(p); }
static size_t adxr_rows(const double *p) { return adxr_back(p) + 1; }
static void adxr_step(const hy__ind_step *s) { adx_run(s, adxr_back(s->p)); }
HY_IND_CODE(adxr) = {.step = adxr_step,
                     .lookback = adxr_last,
                     .state_bytes = bytes,
                     .stable = adx_stable,
                     .n_mid = 1,
                     .mid_rows = adxr_rows};
