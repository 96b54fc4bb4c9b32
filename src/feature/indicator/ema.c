/* SPDX-License-Identifier: Apache-2.0
 * Exponential averages: TA-Lib's (seed: the mean of the first n), pandas' two, Wilder's, and the
 * double and triple ones, whose every stage seeds itself by a mean, and the one that leads its lag.
 */
#include "feature/lane/recur.h"

enum { STAGES_MAX = 6 };

static size_t last(const double *p) { return p_count(p, 0) - 1; }
static size_t last2(const double *p) { return 2 * last(p); }
static size_t last3(const double *p) { return 3 * last(p); }
static size_t last6(const double *p) { return 6 * last(p); }
static size_t none(const double *p) { return (void)p, 0; }

#define STABLE(name, stages, k)                                                                    \
  static size_t name(const double *p, double tol) { return (stages)*ema_stable(k, tol); }
STABLE(stable, 1, 2.0 / (p[0] + 1.0))
STABLE(stable2, 2, 2.0 / (p[0] + 1.0))
STABLE(stable3, 3, 2.0 / (p[0] + 1.0))
STABLE(stable6, 6, 2.0 / (p[0] + 1.0))
STABLE(stable_wilder, 1, 1.0 / p[0])
#undef STABLE

static size_t bytes(const double *p) { return (void)p, EMA_DOUBLES * sizeof(double); }
static size_t bytes2(const double *p) { return 2 * bytes(p); }
static size_t bytes3(const double *p) { return 3 * bytes(p); }
static size_t bytes6(const double *p) { return 6 * bytes(p); }

/* Averages of averages: stage i feeds on stage i-1 from its first value on. e gets every stage. */
typedef lanes (*combine_fn)(const lanes *e, const double *p);

HY_INLINE void chain(const hy__ind_step *s, int n_stages, ema_rule rule, combine_fn combine) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    ema stage[STAGES_MAX];
    for (int i = 0; i < n_stages; i++) stage[i] = ema_load(state + i * EMA_DOUBLES);
    for (size_t t = 0; t < s->n; t++) {
      lanes e[STAGES_MAX], x = v_load(s->in[0] + t * HY_LANES + g);
      mask ok = v_ok(x);
      for (int i = 0; i < n_stages; i++) x = e[i] = ema_push(&stage[i], rule, x, ok, &ok);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(combine(e, s->p))));
    }
    for (int i = 0; i < n_stages; i++) ema_save(state + i * EMA_DOUBLES, stage[i]);
  }
}

HY_INLINE lanes first(const lanes *e, const double *p) { return (void)p, e[0]; }

static void ema_talib_step(const hy__ind_step *s) { chain(s, 1, ema_span(s->p[0]), first); }
HY_IND_CODE(ema_talib) = {
    .step = ema_talib_step, .lookback = last, .state_bytes = bytes, .stable = stable};

static void rma_step(const hy__ind_step *s) { chain(s, 1, ema_wilder(s->p[0]), first); }
HY_IND_CODE(rma) = {
    .step = rma_step, .lookback = last, .state_bytes = bytes, .stable = stable_wilder};

/* A seed of one value is pandas' adjust=False. */
static void ema_pandas_noadjust_step(const hy__ind_step *s) {
  chain(s, 1, (ema_rule){0, 1, 2.0 / (s->p[0] + 1.0)}, first);
}
HY_IND_CODE(ema_pandas_noadjust) = {
    .step = ema_pandas_noadjust_step, .lookback = none, .state_bytes = bytes, .stable = stable};

HY_INLINE lanes dema(const lanes *e, const double *p) { return (void)p, v_set(2.0) * e[0] - e[1]; }
static void dema_step(const hy__ind_step *s) { chain(s, 2, ema_span(s->p[0]), dema); }
HY_IND_CODE(dema) = {
    .step = dema_step, .lookback = last2, .state_bytes = bytes2, .stable = stable2};

HY_INLINE lanes tema(const lanes *e, const double *p) {
  (void)p;
  return v_set(3.0) * (e[0] - e[1]) + e[2];
}
static void tema_step(const hy__ind_step *s) { chain(s, 3, ema_span(s->p[0]), tema); }
HY_IND_CODE(tema) = {
    .step = tema_step, .lookback = last3, .state_bytes = bytes3, .stable = stable3};

/* Tillson's generalised DEMA thrice, written out over six averages. */
HY_INLINE lanes t3(const lanes *e, const double *p) {
  const double v = p[1], vv = v * v, vvv = vv * v;
  const double c1 = -vvv, c2 = 3.0 * (vv + vvv), c3 = -6.0 * vv - 3.0 * (v + vvv);
  const double c4 = 1.0 + 3.0 * v + vvv + 3.0 * vv;
  return v_set(c1) * e[5] + v_set(c2) * e[4] + v_set(c3) * e[3] + v_set(c4) * e[2];
}
static void t3_step(const hy__ind_step *s) { chain(s, 6, ema_span(s->p[0]), t3); }
HY_IND_CODE(t3) = {.step = t3_step, .lookback = last6, .state_bytes = bytes6, .stable = stable6};

/* sum a^i x[i] / sum a^i, by the running weight: pandas' adjust=True. */
static void ema_pandas_adjust_step(const hy__ind_step *s) {
  const lanes keep = v_set(1.0 - 2.0 / (s->p[0] + 1.0));
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes e = v_load(state), weight = v_load(state + HY_LANES);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g);
      const mask ok = v_ok(x);
      weight = v_sel(ok, v_set(1.0) + keep * weight, weight);
      e = v_sel(ok, e + (x - e) / weight, e);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(e)));
    }
    v_store(state, e);
    v_store(state + HY_LANES, weight);
  }
}
HY_IND_CODE(ema_pandas_adjust) = {
    .step = ema_pandas_adjust_step, .lookback = none, .state_bytes = bytes, .stable = stable};

/* The average of what the series would be had its lag not been: 2 x - x[(n-1)/2]. */
static size_t zlema_lag(const double *p) { return last(p) / 2; }
static size_t zlema_last(const double *p) { return last(p) + zlema_lag(p); }
static void zlema_step(const hy__ind_step *s) {
  const ema_rule rule = ema_span(s->p[0]);
  const size_t lag = zlema_lag(s->p);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    ema average = ema_load(state);
    for (size_t t = 0; t < s->n; t++) {
      const double *const x = s->in[0] + t * HY_LANES + g;
      const lanes led = v_set(2.0) * v_load(x) - v_ago(x, lag);
      mask ready;
      const lanes e = ema_push(&average, rule, led, v_ok(led), &ready);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ready, v_fin(e)));
    }
    ema_save(state, average);
  }
}
HY_IND_CODE(zlema) = {.step = zlema_step,
                      .lookback = zlema_last,
                      .history = zlema_lag,
                      .state_bytes = bytes,
                      .stable = stable};
