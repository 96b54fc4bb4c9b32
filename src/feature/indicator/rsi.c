/* SPDX-License-Identifier: Apache-2.0
 * Gains against losses: Wilder's RSI in three forms, and Chande's momentum. */
#include "feature/recur.h"
#include "feature/window.h"

enum { PREVIOUS = 0, GAIN = HY_LANES, LOSS = GAIN + EMA_DOUBLES, END = LOSS + EMA_DOUBLES };

static size_t window(const double *p) { return p_count(p, 0); }
static size_t stable(const double *p, double tol) { return ema_stable(1.0 / p[0], tol); }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }

typedef lanes (*form_fn)(lanes gain, lanes loss);

/* The previous value is kept as last + 1 changes are counted: a zeroed count says that there is
 * none yet. */
HY_INLINE void averages(const hy__ind_step *s, form_fn form) {
  const ema_rule rule = {1, s->p[0], 1.0 / s->p[0]};
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    double *const state = (double *)s->state + g;
    lanes previous = v_load(state + PREVIOUS);
    ema gain = ema_load(state + GAIN), loss = ema_load(state + LOSS);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g), d = x - previous;
      mask ok = v_ok(x);
      previous = v_sel(ok, x, previous);
      const lanes u = ema_push(&gain, rule, v_max(d, v_zero()), ok, &ok);
      const lanes w = ema_push(&loss, rule, v_max(v_zero() - d, v_zero()), v_ok(x), &ok);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(form(u, w))));
    }
    v_store(state + PREVIOUS, previous);
    ema_save(state + GAIN, gain);
    ema_save(state + LOSS, loss);
  }
}

HY_INLINE lanes strength(lanes gain, lanes loss, double flat) {
  return v_ratio(v_set(100.0) * gain, gain + loss, v_set(flat));
}

static lanes talib(lanes gain, lanes loss) { return strength(gain, loss, 0.0); }
static void rsi_talib_step(const hy__ind_step *s) { averages(s, talib); }
HY_IND_CODE(rsi_talib) = {
    .step = rsi_talib_step, .lookback = window, .state_bytes = bytes, .stable = stable};

static lanes mid(lanes gain, lanes loss) { return strength(gain, loss, 50.0); }
static void rsi_mid_step(const hy__ind_step *s) { averages(s, mid); }
HY_IND_CODE(rsi_mid) = {
    .step = rsi_mid_step, .lookback = window, .state_bytes = bytes, .stable = stable};

static lanes chande(lanes gain, lanes loss) {
  return v_ratio(v_set(100.0) * (gain - loss), gain + loss, v_zero());
}
static void cmo_step(const hy__ind_step *s) { averages(s, chande); }
HY_IND_CODE(cmo) = {.step = cmo_step, .lookback = window, .state_bytes = bytes, .stable = stable};

static void rsi_cutler_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  lanes gain = v_zero(), loss = v_zero(), next = v_load(in[0]);
  for (size_t k = 1; k <= n; k++) {
    const lanes x = v_ago(in[0], k), d = next - x;
    gain += v_max(v_zero(), d); /* d where it is NaN */
    loss += v_max(v_zero(), v_zero() - d);
    next = x;
  }
  out[0] = strength(gain, loss, 50.0) + (gain - gain);
}
static void rsi_cutler_step(const hy__ind_step *s) { rows_map(s, 1, 1, rsi_cutler_row); }
HY_IND_CODE(rsi_cutler) = {.step = rsi_cutler_step, .lookback = window, .history = window};
