/* SPDX-License-Identifier: Apache-2.0
 * SuperTrend: a band of Wilder's average true range around the middle of the bar, which only moves
 * towards the close until the close breaks it. Inputs: high, low, close; p: n, k. */
#include "feature/lane/recur.h"

enum {
  PREVIOUS = 0,
  AVERAGE = HY_LANES,
  UPPER = AVERAGE + EMA_DOUBLES,
  LOWER = UPPER + HY_LANES,
  TREND = LOWER + HY_LANES, /* 0 before the first band, then 1 or -1 */
  END = TREND + HY_LANES
};

static size_t window(const double *p) { return p_count(p, 0); }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }

typedef struct trail {
  lanes previous, upper, lower, trend;
  ema average;
} trail;

/* The lanes of ok have a middle and a reach; outputs the band in force and the trend. */
HY_INLINE lanes trail_push(trail *s, lanes middle, lanes reach, lanes close, mask ok) {
  const lanes one = v_set(1.0), upper = middle + reach, lower = middle - reach;
  const mask first = v_eq(s->trend, v_zero()), up = v_lt(v_zero(), s->trend);
  const mask fall = m_or(m_or(first, v_lt(upper, s->upper)), v_lt(s->upper, s->previous));
  const mask rise = m_or(m_or(first, v_lt(s->lower, lower)), v_lt(s->previous, s->lower));
  const lanes top = v_sel(fall, upper, s->upper), bottom = v_sel(rise, lower, s->lower);
  const mask stays = m_or(first, m_andnot(up, v_lt(close, bottom)));
  const mask turns = m_andnot(v_lt(top, close), up);
  const lanes trend = v_sel(m_or(stays, turns), one, v_zero() - one);
  s->upper = v_sel(ok, top, s->upper);
  s->lower = v_sel(ok, bottom, s->lower);
  s->trend = v_sel(ok, trend, s->trend);
  return v_sel(v_lt(v_zero(), s->trend), s->lower, s->upper);
}

static void supertrend_step(const hy__ind_step *s) {
  const double n = s->p[0], k = s->p[1];
  const ema_rule rule = {1, n, 1.0 / n}; /* the first bar has no range */
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    trail now = {v_load(state + PREVIOUS), v_load(state + UPPER), v_load(state + LOWER),
                 v_load(state + TREND), ema_load(state + AVERAGE)};
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes high = v_load(s->in[0] + at), low = v_load(s->in[1] + at);
      const lanes close = v_load(s->in[2] + at), before = now.previous;
      const lanes range = v_max(high - low, v_max(v_abs(high - before), v_abs(low - before)));
      const mask ok = m_and(v_ok(high - low), v_ok(close));
      mask ready;
      const lanes reach = v_set(k) * ema_push(&now.average, rule, range, ok, &ready);
      const lanes band = trail_push(&now, (high + low) * v_set(0.5), reach, close, ready);
      now.previous = v_sel(ok, close, now.previous);
      v_store(s->out[0] + at, v_keep(ready, v_fin(band)));
      v_store(s->out[1] + at, v_keep(ready, now.trend));
    }
    v_store(state + PREVIOUS, now.previous);
    v_store(state + UPPER, now.upper);
    v_store(state + LOWER, now.lower);
    v_store(state + TREND, now.trend);
    ema_save(state + AVERAGE, now.average);
  }
}
HY_IND_CODE(supertrend) = {.step = supertrend_step, .lookback = window, .state_bytes = bytes};
