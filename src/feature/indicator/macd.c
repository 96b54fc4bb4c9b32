/* SPDX-License-Identifier: Apache-2.0
 * Differences and ratios of two exponential averages, and the change of a triple one. */
#include "feature/lane/recur.h"

enum { FAST = 0, SLOW = EMA_DOUBLES, SIGNAL = 2 * EMA_DOUBLES, END = 3 * EMA_DOUBLES };

static double slow_of(const double *p) { return HY_MAX(p[0], p[1]); }
static double fast_of(const double *p) { return HY_MIN(p[0], p[1]); }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }

static size_t macd_lookback(const double *p) { return (size_t)slow_of(p) + p_count(p, 2) - 2; }
static size_t macd_stable(const double *p, double tol) {
  return ema_stable(2.0 / (slow_of(p) + 1.0), tol) + ema_stable(2.0 / (p[2] + 1.0), tol);
}

typedef struct macd_rules {
  ema_rule fast, slow, signal;
} macd_rules;

HY_INLINE void macd_run(const hy__ind_step *s, macd_rules r) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    ema fast = ema_load(state + FAST), slow = ema_load(state + SLOW);
    ema signal = ema_load(state + SIGNAL);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g);
      mask ok = v_ok(x), ready;
      const lanes f = ema_push(&fast, r.fast, x, ok, &ready);
      const lanes macd = f - ema_push(&slow, r.slow, x, ok, &ready);
      const lanes e = ema_push(&signal, r.signal, macd, ready, &ok);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(macd)));
      v_store(s->out[1] + t * HY_LANES + g, v_keep(ok, v_fin(e)));
      v_store(s->out[2] + t * HY_LANES + g, v_keep(ok, v_fin(macd - e)));
    }
    ema_save(state + FAST, fast);
    ema_save(state + SLOW, slow);
    ema_save(state + SIGNAL, signal);
  }
}

/* Both averages start at bar slow-1: the fast one is seeded by the last `fast` of the first `slow`
 * bars. */
static void macd_step(const hy__ind_step *s) {
  const double fast = fast_of(s->p), slow = slow_of(s->p);
  const ema_rule fast_rule = {slow - fast, fast, 2.0 / (fast + 1.0)};
  macd_run(s, (macd_rules){fast_rule, ema_span(slow), ema_span(s->p[2])});
}
HY_IND_CODE(macd) = {
    .step = macd_step, .lookback = macd_lookback, .state_bytes = bytes, .stable = macd_stable};

/* As 12 and 26 bars, with Appel's rounded weights. p: signal. */
static size_t fix_lookback(const double *p) { return 26 + p_count(p, 0) - 2; }
static size_t fix_stable(const double *p, double tol) {
  return ema_stable(0.075, tol) + ema_stable(2.0 / (p[0] + 1.0), tol);
}
static void macdfix_step(const hy__ind_step *s) {
  const ema_rule fast = {14, 12, 0.15}, slow = {0, 26, 0.075};
  macd_run(s, (macd_rules){fast, slow, ema_span(s->p[0])});
}
HY_IND_CODE(macdfix) = {
    .step = macdfix_step, .lookback = fix_lookback, .state_bytes = bytes, .stable = fix_stable};

static size_t pair_lookback(const double *p) { return (size_t)slow_of(p) - 1; }
static size_t pair_stable(const double *p, double tol) {
  return ema_stable(2.0 / (slow_of(p) + 1.0), tol);
}

typedef lanes (*pair_fn)(lanes fast, lanes slow);

/* Each average is seeded alone. */
HY_INLINE void pair(const hy__ind_step *s, pair_fn form) {
  const ema_rule fast_rule = ema_span(fast_of(s->p)), slow_rule = ema_span(slow_of(s->p));
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    ema fast = ema_load(state + FAST), slow = ema_load(state + SLOW);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g);
      mask ready;
      const lanes f = ema_push(&fast, fast_rule, x, v_ok(x), &ready);
      const lanes w = ema_push(&slow, slow_rule, x, v_ok(x), &ready);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ready, v_fin(form(f, w))));
    }
    ema_save(state + FAST, fast);
    ema_save(state + SLOW, slow);
  }
}

HY_INLINE lanes difference(lanes fast, lanes slow) { return fast - slow; }
static void apo_step(const hy__ind_step *s) { pair(s, difference); }
HY_IND_CODE(apo) = {
    .step = apo_step, .lookback = pair_lookback, .state_bytes = bytes, .stable = pair_stable};

HY_INLINE lanes percent(lanes fast, lanes slow) {
  return v_ratio(v_set(100.0) * (fast - slow), slow, v_zero());
}
static void ppo_step(const hy__ind_step *s) { pair(s, percent); }
HY_IND_CODE(ppo) = {
    .step = ppo_step, .lookback = pair_lookback, .state_bytes = bytes, .stable = pair_stable};

enum {
  TRIX_LAST = 3 * EMA_DOUBLES,
  TRIX_SEEN = TRIX_LAST + HY_LANES,
  TRIX_END = TRIX_SEEN + HY_LANES
};

static size_t trix_bytes(const double *p) { return (void)p, TRIX_END * sizeof(double); }
static size_t trix_lookback(const double *p) { return 3 * (p_count(p, 0) - 1) + 1; }
static size_t trix_stable(const double *p, double tol) {
  return 3 * ema_stable(2.0 / (p[0] + 1.0), tol);
}
static void trix_step(const hy__ind_step *s) {
  const ema_rule rule = ema_span(s->p[0]);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    ema stage[3];
    for (int i = 0; i < 3; i++) stage[i] = ema_load(state + i * EMA_DOUBLES);
    lanes previous = v_load(state + TRIX_LAST), seen = v_load(state + TRIX_SEEN);
    for (size_t t = 0; t < s->n; t++) {
      lanes x = v_load(s->in[0] + t * HY_LANES + g);
      mask ok = v_ok(x);
      for (int i = 0; i < 3; i++) x = ema_push(&stage[i], rule, x, ok, &ok);
      const lanes change = v_ratio(x, previous, v_set(1.0)) - v_set(1.0);
      const mask ready = m_and(ok, m_steady(v_lt(v_zero(), seen)));
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ready, v_fin(v_set(100.0) * change)));
      previous = v_sel(ok, x, previous);
      seen = v_sel(ok, v_set(1.0), seen);
    }
    for (int i = 0; i < 3; i++) ema_save(state + i * EMA_DOUBLES, stage[i]);
    v_store(state + TRIX_LAST, previous);
    v_store(state + TRIX_SEEN, seen);
  }
}
HY_IND_CODE(trix) = {
    .step = trix_step, .lookback = trix_lookback, .state_bytes = trix_bytes, .stable = trix_stable};
