/* SPDX-License-Identifier: Apache-2.0
 * Elder's ray: how far the bar's ends stand from the average of the close. Inputs: high, low,
 * close. Outputs: bull, bear. */
#include "feature/lane/recur.h"

static size_t last(const double *p) { return p_count(p, 0) - 1; }
static size_t bytes(const double *p) { return (void)p, EMA_DOUBLES * sizeof(double); }
static size_t stable(const double *p, double tol) { return ema_stable(2.0 / (p[0] + 1.0), tol); }

static void eri_step(const hy__ind_step *s) {
  const ema_rule rule = ema_span(s->p[0]);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    ema average = ema_load(state);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes high = v_load(s->in[0] + at), low = v_load(s->in[1] + at);
      const lanes close = v_load(s->in[2] + at);
      mask ok = m_and(v_ok(high - low), v_ok(close));
      const lanes e = ema_push(&average, rule, close, ok, &ok);
      v_store(s->out[0] + at, v_keep(ok, v_fin(high - e)));
      v_store(s->out[1] + at, v_keep(ok, v_fin(low - e)));
    }
    ema_save(state, average);
  }
}
HY_IND_CODE(eri) = {.step = eri_step, .lookback = last, .state_bytes = bytes, .stable = stable};
