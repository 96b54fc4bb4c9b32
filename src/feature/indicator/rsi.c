/* SPDX-License-Identifier: Apache-2.0
 * Gains against losses: Wilder's RSI in three forms, and Chande's momentum. */
#include "feature/lane/nest.h"
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

enum { PREVIOUS = 0, GAIN = HY_LANES, LOSS = GAIN + EMA_DOUBLES, END = LOSS + EMA_DOUBLES };

static size_t window(const double *p) { return p_count(p, 0); }
static size_t stable(const double *p, double tol) { return ema_stable(1.0 / p[0], tol); }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }

typedef lanes (*form_fn)(lanes gain, lanes loss);

typedef struct wilder {
  lanes previous;
  ema gain, loss;
} wilder;

HY_INLINE wilder wilder_load(const double *state) {
  return (wilder){v_load(state + PREVIOUS), ema_load(state + GAIN), ema_load(state + LOSS)};
}
HY_INLINE void wilder_save(double *state, wilder w) {
  v_store(state + PREVIOUS, w.previous);
  ema_save(state + GAIN, w.gain);
  ema_save(state + LOSS, w.loss);
}

/* The first value has no change and is passed over. */
HY_INLINE lanes wilder_push(wilder *w, double n, lanes x, form_fn form, mask *ready) {
  const ema_rule rule = {1, n, 1.0 / n};
  const lanes d = x - w->previous;
  const mask ok = v_ok(x);
  w->previous = v_sel(ok, x, w->previous);
  const lanes gain = ema_push(&w->gain, rule, v_max(d, v_zero()), ok, ready);
  const lanes loss = ema_push(&w->loss, rule, v_max(v_zero() - d, v_zero()), ok, ready);
  return form(gain, loss);
}

HY_INLINE void averages(const hy__ind_step *s, form_fn form) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    wilder w = wilder_load(state);
    for (size_t t = 0; t < s->n; t++) {
      mask ready;
      const lanes value =
          wilder_push(&w, s->p[0], v_load(s->in[0] + t * HY_LANES + g), form, &ready);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ready, v_fin(value)));
    }
    wilder_save(state, w);
  }
}

/* The share first: exactly 100 of what only rises, as TA-Lib. */
HY_INLINE lanes strength(lanes gain, lanes loss, double flat) {
  return v_set(100.0) * v_ratio(gain, gain + loss, v_set(flat / 100.0));
}

HY_INLINE lanes talib(lanes gain, lanes loss) { return strength(gain, loss, 0.0); }
static void rsi_talib_step(const hy__ind_step *s) { averages(s, talib); }
HY_IND_CODE(rsi_talib) = {
    .step = rsi_talib_step, .lookback = window, .state_bytes = bytes, .stable = stable};

HY_INLINE lanes mid(lanes gain, lanes loss) { return strength(gain, loss, 50.0); }
static void rsi_mid_step(const hy__ind_step *s) { averages(s, mid); }
HY_IND_CODE(rsi_mid) = {
    .step = rsi_mid_step, .lookback = window, .state_bytes = bytes, .stable = stable};

HY_INLINE lanes chande(lanes gain, lanes loss) {
  return v_set(100.0) * v_ratio(gain - loss, gain + loss, v_zero());
}
static void cmo_step(const hy__ind_step *s) { averages(s, chande); }
HY_IND_CODE(cmo) = {.step = cmo_step, .lookback = window, .state_bytes = bytes, .stable = stable};

/* Plain sums over n changes; p[0] = n. */
HY_INLINE void change_inner(const double *const *in, const double *p, lanes *out) {
  const lanes d = v_load(in[0]) - v_ago(in[0], 1);
  (void)p;
  out[0] = v_max(v_zero(), d); /* d where it is NaN */
  out[1] = v_max(v_zero(), v_zero() - d);
}

HY_INLINE void rsi_cutler_outer(const double *const *mid, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = strength(w_sum(mid[0], n), w_sum(mid[1], n), 50.0);
}
static void rsi_cutler_step(const hy__ind_step *s) {
  nest_map(s, (nest){1, 2, 1, p_count(s->p, 0), change_inner, rsi_cutler_outer});
}
HY_IND_CODE(rsi_cutler) = {.step = rsi_cutler_step,
                           .lookback = window,
                           .history = window,
                           .state_bytes = nest_bytes,
                           .n_mid = 2,
                           .mid_rows = window};

HY_INLINE void cmou_outer(const double *const *mid, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = chande(w_sum(mid[0], n), w_sum(mid[1], n));
}
static void cmou_step(const hy__ind_step *s) {
  nest_map(s, (nest){1, 2, 1, p_count(s->p, 0), change_inner, cmou_outer});
}
HY_IND_CODE(cmou) = {.step = cmou_step,
                     .lookback = window,
                     .history = window,
                     .state_bytes = nest_bytes,
                     .n_mid = 2,
                     .mid_rows = window};

/* The stochastic of Wilder's RSI; p: n, fast, d. The strengths are a hidden column, NaN while there
 * is none. */
static size_t ring_rows(const double *p) { return p_count(p, 1) + p_count(p, 2) - 1; }
static size_t stochrsi_last(const double *p) { return p_count(p, 0) + ring_rows(p) - 1; }

/* While a price stands still both averages shrink by one factor and the strength stays: what moves
 * in its last places, otherwise from another start, is no range. */
static const double still = 1e-10;

HY_INLINE lanes fast_k(const double *x, size_t n) {
  const lanes low = w_min(x, n), range = w_max(x, n) - low;
  const lanes moved = v_sel(v_le(range, v_set(still)), v_zero(), range);
  return v_ratio(v_set(100.0) * (v_load(x) - low), moved, v_zero());
}

HY_INLINE void stochrsi_emit(const hy__ind_step *s, const double *newest, size_t at) {
  const size_t n = p_count(s->p, 1), n_d = p_count(s->p, 2);
  lanes k = fast_k(newest, n), sum = k;
  for (size_t i = 1; i < n_d; i++) sum += fast_k(newest - i * HY_LANES, n);
  v_store(s->out[0] + at, v_keep(v_ok(sum), v_fin(k)));
  v_store(s->out[1] + at, v_fin(sum / v_set(s->p[2])));
}

static void stochrsi_step(const hy__ind_step *s) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    wilder w = wilder_load(state);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      mask ok;
      const lanes value = wilder_push(&w, s->p[0], v_load(s->in[0] + at), talib, &ok);
      v_store(s->mid[0] + at, v_keep(ok, value));
      stochrsi_emit(s, s->mid[0] + at, at);
    }
    wilder_save(state, w);
  }
}
HY_IND_CODE(stochrsi) = {.step = stochrsi_step,
                         .lookback = stochrsi_last,
                         .state_bytes = bytes,
                         .stable = stable,
                         .n_mid = 1,
                         .mid_rows = ring_rows};
