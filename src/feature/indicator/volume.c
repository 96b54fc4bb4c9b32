/* SPDX-License-Identifier: Apache-2.0
 * Cumulative volume lines. A bar with a missing input is passed over. */
#include "feature/recur.h"
#include "feature/window.h"

enum { TOTAL = 0, PREVIOUS = HY_LANES, SEEN = 2 * HY_LANES, END = 3 * HY_LANES };

static size_t none(const double *p) { return (void)p, 0; }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }

/* What a bar adds, from close and volume, the previous close and whether there is one. */
typedef lanes (*add_fn)(lanes close, lanes volume, lanes previous, mask seen);

HY_INLINE void accumulate(const hy__ind_step *s, add_fn add) {
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    double *const state = (double *)s->state + g;
    lanes total = v_load(state + TOTAL), previous = v_load(state + PREVIOUS);
    lanes seen = v_load(state + SEEN);
    for (size_t t = 0; t < s->n; t++) {
      const lanes close = v_load(s->in[0] + t * HY_LANES + g);
      const lanes volume = v_load(s->in[1] + t * HY_LANES + g);
      const mask ok = m_and(v_ok(close), v_ok(volume));
      total = v_sel(ok, total + add(close, volume, previous, v_lt(v_zero(), seen)), total);
      previous = v_sel(ok, close, previous);
      seen = v_sel(ok, v_set(1.0), seen);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(total)));
    }
    v_store(state + TOTAL, total);
    v_store(state + PREVIOUS, previous);
    v_store(state + SEEN, seen);
  }
}

/* The first bar counts as a rise: TA-Lib starts at its volume. */
static lanes obv_add(lanes close, lanes volume, lanes previous, mask seen) {
  const lanes before = v_sel(seen, previous, close - v_set(1.0));
  const lanes fallen = v_sel(v_lt(close, before), v_zero() - volume, v_zero());
  return v_sel(v_lt(before, close), volume, fallen);
}
static void obv_step(const hy__ind_step *s) { accumulate(s, obv_add); }
HY_IND_CODE(obv) = {.step = obv_step, .lookback = none, .state_bytes = bytes};

static lanes pvt_add(lanes close, lanes volume, lanes previous, mask seen) {
  return v_only(seen, v_ratio(close - previous, previous, v_zero()) * volume);
}
static void pvt_step(const hy__ind_step *s) { accumulate(s, pvt_add); }
HY_IND_CODE(pvt) = {.step = pvt_step, .lookback = none, .state_bytes = bytes};
