/* SPDX-License-Identifier: Apache-2.0
 * Ehlers' MESA adaptive averages: as fast as the cycle's phase turns. p: fast, slow. */
#include "feature/lane/hilbert.h"

enum {
  PHASE = CYCLE_DOUBLES,
  MAMA = PHASE + HY_LANES,
  FAMA = MAMA + HY_LANES,
  END = FAMA + HY_LANES
};

static const double BEGIN = 12.0,
                    FIRST = 32.0; /* bars before the first measured, the first given */

static size_t last(const double *p) { return (void)p, (size_t)FIRST; }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }

/* The weight of the newest price, from the phase's fall since the last bar, of at least a degree.
 */
HY_INLINE lanes weight(lanes fall, const double *p) {
  const lanes fast = v_set(p[0]), slowed = v_max(fast / fall, v_set(p[1]));
  return v_sel(v_lt(v_set(1.0), fall), slowed, fast);
}

static void mama_step(const hy__ind_step *s) {
  const lanes one = v_set(1.0), half = v_set(0.5);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    cycle now = cycle_load(state);
    lanes phase = v_load(state + PHASE), mama = v_load(state + MAMA), fama = v_load(state + FAMA);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g), seen = now.row[CYCLE_SEEN];
      const mask ok = cycle_push(&now, x, BEGIN), ready = m_and(ok, v_le(v_set(FIRST), seen));
      const lanes in_phase = now.row[CYCLE_TREND + 3], quadrature = now.row[CYCLE_TURNED];
      const lanes turn = v_atan(quadrature / in_phase) * v_set(CYCLE_DEGREES);
      const lanes angle = v_sel(v_eq(in_phase, v_zero()), v_zero(), turn);
      const lanes a = weight(v_max(phase - angle, one), s->p), b = half * a;
      mama = v_sel(ok, a * x + (one - a) * mama, mama);
      fama = v_sel(ok, b * mama + (one - b) * fama, fama);
      phase = v_sel(ok, angle, phase);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ready, v_fin(mama)));
      v_store(s->out[1] + t * HY_LANES + g, v_keep(ready, v_fin(fama)));
    }
    cycle_save(state, &now);
    v_store(state + PHASE, phase);
    v_store(state + MAMA, mama);
    v_store(state + FAMA, fama);
  }
}
HY_IND_CODE(mama) = {.step = mama_step, .lookback = last, .state_bytes = bytes};
