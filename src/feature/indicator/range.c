/* SPDX-License-Identifier: Apache-2.0
 * The true range and its averages. Inputs: high, low, close. */
#include "feature/lane/nest.h"
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

static size_t one(const double *p) { return (void)p, 1; }
static size_t window(const double *p) { return p_count(p, 0); }

/* NaN where any of the three is. */
HY_INLINE lanes true_range(lanes high, lanes low, lanes before) {
  const lanes wide = v_max(high - low, v_max(v_abs(high - before), v_abs(low - before)));
  return v_keep(m_and(v_ok(high - low), v_ok(before)), wide);
}

HY_INLINE void tr_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = true_range(v_load(in[0]), v_load(in[1]), v_ago(in[2], 1));
}
static void tr_step(const hy__ind_step *s) { rows_map(s, 3, 1, tr_row); }
HY_IND_CODE(tr) = {.step = tr_step, .lookback = one, .history = one};

/* Inputs: high, low. */
static size_t last(const double *p) { return last_of(p, 0); }
HY_INLINE void high_low(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_load(in[0]) - v_load(in[1]);
}

HY_INLINE void mean_outer(const double *const *mid, const double *p, lanes *out) {
  out[0] = w_mean(mid[0], p_count(p, 0));
}
static void atr_sma_step(const hy__ind_step *s) {
  nest_map(s, (nest){3, 1, 1, p_count(s->p, 0), tr_row, mean_outer});
}
HY_IND_CODE(atr_sma) = {.step = atr_sma_step,
                        .lookback = window,
                        .history = window,
                        .state_bytes = nest_bytes,
                        .n_mid = 1,
                        .mid_rows = window};

static void adr_step(const hy__ind_step *s) {
  nest_map(s, (nest){2, 1, 1, p_count(s->p, 0), high_low, mean_outer});
}
HY_IND_CODE(adr) = {.step = adr_step,
                    .lookback = last,
                    .history = last,
                    .state_bytes = nest_bytes,
                    .n_mid = 1,
                    .mid_rows = window};

enum { PREVIOUS = 0, SEEN = HY_LANES, AVERAGE = 2 * HY_LANES, END = AVERAGE + EMA_DOUBLES };

static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }
static size_t stable(const double *p, double tol) { return ema_stable(1.0 / p[0], tol); }

typedef lanes (*form_fn)(lanes average, lanes close);

/* Wilder's average; the first bar has no previous close and is passed over. */
HY_INLINE void wilder(const hy__ind_step *s, form_fn form) {
  const ema_rule rule = {1, s->p[0], 1.0 / s->p[0]};
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes previous = v_load(state + PREVIOUS);
    ema average = ema_load(state + AVERAGE);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes high = v_load(s->in[0] + at), low = v_load(s->in[1] + at);
      const lanes close = v_load(s->in[2] + at);
      mask ok = m_and(v_ok(high - low), v_ok(close));
      const lanes range = true_range(high, low, previous);
      previous = v_sel(ok, close, previous);
      const lanes e = ema_push(&average, rule, range, ok, &ok);
      v_store(s->out[0] + at, v_keep(ok, v_fin(form(e, close))));
    }
    v_store(state + PREVIOUS, previous);
    ema_save(state + AVERAGE, average);
  }
}

HY_INLINE lanes plain(lanes average, lanes close) { return (void)close, average; }
static void atr_talib_step(const hy__ind_step *s) { wilder(s, plain); }
HY_IND_CODE(atr_talib) = {
    .step = atr_talib_step, .lookback = window, .state_bytes = bytes, .stable = stable};

HY_INLINE lanes percent(lanes average, lanes close) {
  return v_ratio(v_set(100.0) * average, close, v_zero());
}
static void natr_step(const hy__ind_step *s) { wilder(s, percent); }
HY_IND_CODE(natr) = {.step = natr_step, .lookback = window, .state_bytes = bytes, .stable = stable};

/* The first bar counts with its own range. */
static void atr_tv_step(const hy__ind_step *s) {
  const ema_rule rule = ema_wilder(s->p[0]);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes previous = v_load(state + PREVIOUS), seen = v_load(state + SEEN);
    ema average = ema_load(state + AVERAGE);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes high = v_load(s->in[0] + at), low = v_load(s->in[1] + at);
      const lanes close = v_load(s->in[2] + at);
      mask ok = m_and(v_ok(high - low), v_ok(close));
      const mask later = m_steady(v_lt(v_zero(), seen));
      const lanes range = v_sel(later, true_range(high, low, previous), high - low);
      previous = v_sel(ok, close, previous);
      seen = v_sel(ok, v_set(1.0), seen);
      const lanes e = ema_push(&average, rule, range, ok, &ok);
      v_store(s->out[0] + at, v_keep(ok, v_fin(e)));
    }
    v_store(state + PREVIOUS, previous);
    v_store(state + SEEN, seen);
    ema_save(state + AVERAGE, average);
  }
}
HY_IND_CODE(atr_tv) = {
    .step = atr_tv_step, .lookback = last, .state_bytes = bytes, .stable = stable};
