/* SPDX-License-Identifier: Apache-2.0
 * Momentum smoothed twice against its own size: the true strength of changes, and the stochastic
 * momentum of the close's distance from the middle of the range. */
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

/* Two averages of averages, of a quantity and of its size. */
typedef struct twice {
  ema value[2], size[2];
} twice;
enum { TWICE = 4 * EMA_DOUBLES };

HY_INLINE twice twice_load(const double *state) {
  return (twice){{ema_load(state), ema_load(state + EMA_DOUBLES)},
                 {ema_load(state + 2 * EMA_DOUBLES), ema_load(state + 3 * EMA_DOUBLES)}};
}
HY_INLINE void twice_save(double *state, const twice *s) {
  for (int i = 0; i < 2; i++) {
    ema_save(state + i * EMA_DOUBLES, s->value[i]);
    ema_save(state + (2 + i) * EMA_DOUBLES, s->size[i]);
  }
}

/* The ratio of the two, 0 where the size is. */
HY_INLINE lanes twice_push(twice *s, ema_rule first, ema_rule second, const lanes *x, mask *ok) {
  mask ready = *ok;
  lanes value = ema_push(&s->value[0], first, x[0], *ok, &ready);
  lanes size = ema_push(&s->size[0], first, x[1], *ok, &ready);
  value = ema_push(&s->value[1], second, value, ready, ok);
  size = ema_push(&s->size[1], second, size, ready, ok);
  return v_ratio(value, size, v_zero());
}

enum { PREVIOUS = TWICE, TSI_END = TWICE + HY_LANES };

/* p: first, second. */
static size_t tsi_last(const double *p) { return p_count(p, 0) + p_count(p, 1) - 1; }
static size_t tsi_bytes(const double *p) { return (void)p, TSI_END * sizeof(double); }
static size_t tsi_stable(const double *p, double tol) {
  return ema_stable(2.0 / (p[0] + 1.0), tol) + ema_stable(2.0 / (p[1] + 1.0), tol);
}
static void tsi_step(const hy__ind_step *s) {
  const ema_rule second = ema_span(s->p[1]);
  ema_rule first = ema_span(s->p[0]);
  first.skip = 1.0; /* the first bar has no change */
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    twice now = twice_load(state);
    lanes previous = v_load(state + PREVIOUS);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g), d = x - previous;
      const lanes pair[2] = {d, v_abs(d)};
      mask ok = v_ok(x);
      previous = v_sel(ok, x, previous);
      const lanes value = v_set(100.0) * twice_push(&now, first, second, pair, &ok);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(value)));
    }
    twice_save(state, &now);
    v_store(state + PREVIOUS, previous);
  }
}
HY_IND_CODE(tsi) = {
    .step = tsi_step, .lookback = tsi_last, .state_bytes = tsi_bytes, .stable = tsi_stable};

/* Inputs: high, low, close; p: n, fast, slow, signal. Outputs: smi, signal. */
enum { SIGNAL = TWICE, SMI_END = TWICE + EMA_DOUBLES };

static size_t smi_range(const double *p) { return last_of(p, 0); }
static size_t smi_last(const double *p) {
  return p_count(p, 0) + p_count(p, 1) + p_count(p, 2) + p_count(p, 3) - 4;
}
static size_t smi_bytes(const double *p) { return (void)p, SMI_END * sizeof(double); }
static size_t smi_stable(const double *p, double tol) {
  size_t bars = 0;
  for (int i = 1; i < 4; i++) bars += ema_stable(2.0 / (p[i] + 1.0), tol);
  return bars;
}

HY_INLINE void place_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes high = v_highest(v, 0, 0, n), low = v_lowest(v, 1, 1, n);
  out[0] = v_load(v.in[2]) - (high + low) * v_set(0.5);
  out[1] = high - low;
}
/* Distances and ranges stand in the outputs until each is used. */
static void smi_step(const hy__ind_step *s) {
  const ema_rule fast = ema_span(s->p[1]), slow = ema_span(s->p[2]), rule = ema_span(s->p[3]);
  tiles_map(s, (tiling){3, 2, 2, p_count(s->p, 0), RUN, channel_block, place_leaf});
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    twice now = twice_load(state);
    ema signal = ema_load(state + SIGNAL);
    for (size_t t = 0; t < s->n; t++) {
      double *const out = s->out[0] + t * HY_LANES + g, *const mean = s->out[1] + t * HY_LANES + g;
      const lanes pair[2] = {v_load(out), v_load(mean)};
      mask ok = m_and(v_ok(pair[0]), v_ok(pair[1])), ready;
      const lanes smi = v_set(200.0) * twice_push(&now, slow, fast, pair, &ok);
      const lanes e = ema_push(&signal, rule, smi, ok, &ready);
      v_store(out, v_keep(ready, v_fin(smi)));
      v_store(mean, v_keep(ready, v_fin(e)));
    }
    twice_save(state, &now);
    ema_save(state + SIGNAL, signal);
  }
}
HY_IND_CODE(smi) = {.step = smi_step,
                    .lookback = smi_last,
                    .history = smi_range,
                    .state_bytes = smi_bytes,
                    .stable = smi_stable};
