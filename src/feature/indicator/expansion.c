/* SPDX-License-Identifier: Apache-2.0
 * Ranges that widen: Chaikin's volatility, the mass index, Dorsey's relative volatility. What they
 * look back on of their own averages is a hidden column, missing while there is none. */
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

/* Inputs: high, low; p: n of the average, n of the change. */
static size_t average_bytes(const double *p) { return (void)p, EMA_DOUBLES * sizeof(double); }
static size_t cvi_rows(const double *p) { return p_count(p, 1) + 1; }
static size_t cvi_last(const double *p) { return p_count(p, 0) - 1 + p_count(p, 1); }
static size_t cvi_stable(const double *p, double tol) {
  return ema_stable(2.0 / (p[0] + 1.0), tol * 1e-2);
}
static void cvi_step(const hy__ind_step *s) {
  const ema_rule rule = ema_span(s->p[0]);
  const size_t back = p_count(s->p, 1);
  EACH_GROUP(s, g) {
    ema average = ema_load((double *)s->state + g);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes range = v_load(s->in[0] + at) - v_load(s->in[1] + at);
      mask ready;
      const lanes e = ema_push(&average, rule, range, v_ok(range), &ready);
      const lanes old = v_ago(s->mid[0] + at, back);
      v_store(s->mid[0] + at, v_keep(ready, e));
      v_store(s->out[0] + at,
              v_keep(ready, v_fin(v_ratio(v_set(100.0) * (e - old), old, v_zero()))));
    }
    ema_save((double *)s->state + g, average);
  }
}
HY_IND_CODE(cvi) = {.step = cvi_step,
                    .lookback = cvi_last,
                    .state_bytes = average_bytes,
                    .stable = cvi_stable,
                    .n_mid = 1,
                    .mid_rows = cvi_rows};

/* The sum of the last n ratios of an average to its average. Inputs: high, low; p: n of the
 * averages, n of the sum. */
static size_t massi_bytes(const double *p) { return 2 * average_bytes(p); }
static size_t massi_rows(const double *p) { return p_count(p, 1); }
static size_t massi_last(const double *p) { return 2 * last_of(p, 0) + last_of(p, 1); }
static size_t massi_stable(const double *p, double tol) {
  return 2 * ema_stable(2.0 / (p[0] + 1.0), tol);
}
static void massi_step(const hy__ind_step *s) {
  const ema_rule rule = ema_span(s->p[0]);
  const size_t n = p_count(s->p, 1);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    ema first = ema_load(state), second = ema_load(state + EMA_DOUBLES);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes range = v_load(s->in[0] + at) - v_load(s->in[1] + at);
      mask ready;
      const lanes e = ema_push(&first, rule, range, v_ok(range), &ready);
      const lanes ee = ema_push(&second, rule, e, ready, &ready);
      v_store(s->mid[0] + at, v_keep(ready, v_ratio(e, ee, v_set(1.0))));
      v_store(s->out[0] + at, v_fin(w_sum(s->mid[0] + at, n)));
    }
    ema_save(state, first);
    ema_save(state + EMA_DOUBLES, second);
  }
}
HY_IND_CODE(massi) = {.step = massi_step,
                      .lookback = massi_last,
                      .state_bytes = massi_bytes,
                      .stable = massi_stable,
                      .n_mid = 1,
                      .mid_rows = massi_rows};

/* Wilder's averages of the deviation over n2 bars where the value rises and where it falls. p: n,
 * n of the deviation. */
static size_t rvi_back(const double *p) { return HY_MAX(p_count(p, 1), 2) - 1; }
static size_t rvi_last(const double *p) { return last_of(p, 0) + last_of(p, 1); }
static size_t rvi_bytes(const double *p) { return 2 * average_bytes(p); }
static size_t rvi_stable(const double *p, double tol) { return ema_stable(1.0 / p[0], tol); }
static void rvi_step(const hy__ind_step *s) {
  const ema_rule rule = ema_wilder(s->p[0]);
  const size_t n = p_count(s->p, 1);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    ema up = ema_load(state), down = ema_load(state + EMA_DOUBLES);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const double *const x = s->in[0] + at;
      const lanes deviation = v_std(w_spread(x, n), s->p[1], 0.0), before = v_ago(x, 1);
      mask ready;
      const mask ok = v_ok(deviation);
      const lanes rising = v_only(v_lt(before, v_load(x)), deviation);
      const lanes falling = v_only(v_lt(v_load(x), before), deviation);
      const lanes u = ema_push(&up, rule, rising, ok, &ready);
      const lanes d = ema_push(&down, rule, falling, ok, &ready);
      v_store(s->out[0] + at, v_keep(ready, v_fin(v_ratio(v_set(100.0) * u, u + d, v_set(50.0)))));
    }
    ema_save(state, up);
    ema_save(state + EMA_DOUBLES, down);
  }
}
HY_IND_CODE(rvi) = {.step = rvi_step,
                    .lookback = rvi_last,
                    .history = rvi_back,
                    .state_bytes = rvi_bytes,
                    .stable = rvi_stable};
