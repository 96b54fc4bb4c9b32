/* SPDX-License-Identifier: Apache-2.0
 * Heikin-Ashi candles: the open is the middle of the candle before. Inputs: open, high, low, close.
 * Outputs: open, high, low, close. */
#include "feature/lane/recur.h"

enum { OPEN = 0, CLOSE = HY_LANES, SEEN = 2 * HY_LANES, END = 3 * HY_LANES };

static size_t none(const double *p) { return (void)p, 0; }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }
static size_t stable(const double *p, double tol) { return (void)p, ema_stable(0.5, tol); }

static void ha_step(const hy__ind_step *s) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes before_open = v_load(state + OPEN), before_close = v_load(state + CLOSE);
    lanes seen = v_load(state + SEEN);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes open = v_load(s->in[0] + at), high = v_load(s->in[1] + at);
      const lanes low = v_load(s->in[2] + at), close = v_load(s->in[3] + at);
      const lanes ha_close = (open + high + low + close) * v_set(0.25);
      const mask ok = v_ok(ha_close), later = m_steady(v_lt(v_zero(), seen));
      const lanes first = v_sel(later, before_open, open);
      const lanes ha_open = (first + v_sel(later, before_close, close)) * v_set(0.5);
      before_open = v_sel(ok, ha_open, before_open);
      before_close = v_sel(ok, ha_close, before_close);
      seen = v_sel(ok, v_set(1.0), seen);
      v_store(s->out[0] + at, v_keep(ok, v_fin(ha_open)));
      v_store(s->out[1] + at, v_keep(ok, v_fin(v_max(high, v_max(ha_open, ha_close)))));
      v_store(s->out[2] + at, v_keep(ok, v_fin(v_min(low, v_min(ha_open, ha_close)))));
      v_store(s->out[3] + at, v_keep(ok, v_fin(ha_close)));
    }
    v_store(state + OPEN, before_open);
    v_store(state + CLOSE, before_close);
    v_store(state + SEEN, seen);
  }
}
HY_IND_CODE(ha) = {.step = ha_step, .lookback = none, .state_bytes = bytes, .stable = stable};
