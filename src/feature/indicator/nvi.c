/* SPDX-License-Identifier: Apache-2.0
 * Running totals that a bar joins by how its volume or close moved: negative and positive volume
 * index, Williams' accumulation. A bar with a missing input is passed over. */
#include "feature/lane/recur.h"

enum {
  TOTAL = 0,
  CLOSE = HY_LANES,
  VOLUME = 2 * HY_LANES,
  SEEN = 3 * HY_LANES,
  END = 4 * HY_LANES
};

static size_t none(const double *p) { return (void)p, 0; }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }

/* Inputs: close, volume. Follows the close's returns where the volume fell, or where it rose. */
HY_INLINE void volume_index(const hy__ind_step *s, bool rising) {
  const lanes one = v_set(1.0), start = v_set(1000.0);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes total = v_load(state + TOTAL), before = v_load(state + CLOSE);
    lanes traded = v_load(state + VOLUME), seen = v_load(state + SEEN);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes close = v_load(s->in[0] + at), volume = v_load(s->in[1] + at);
      const mask ok = m_and(v_ok(close), v_ok(volume)), later = m_steady(v_lt(v_zero(), seen));
      const mask joins = rising ? v_lt(traded, volume) : v_lt(volume, traded);
      const lanes ratio = v_ratio(close - before, before, v_zero());
      const lanes next = v_sel(later, total + v_only(joins, total * ratio), start);
      total = v_sel(ok, next, total);
      before = v_sel(ok, close, before);
      traded = v_sel(ok, volume, traded);
      seen = v_sel(ok, one, seen);
      v_store(s->out[0] + at, v_keep(ok, v_fin(total)));
    }
    v_store(state + TOTAL, total);
    v_store(state + CLOSE, before);
    v_store(state + VOLUME, traded);
    v_store(state + SEEN, seen);
  }
}

static void nvi_step(const hy__ind_step *s) { volume_index(s, false); }
HY_IND_CODE(nvi) = {.step = nvi_step, .lookback = none, .state_bytes = bytes};
static void pvi_step(const hy__ind_step *s) { volume_index(s, true); }
HY_IND_CODE(pvi) = {.step = pvi_step, .lookback = none, .state_bytes = bytes};

/* Inputs: high, low, close. A rise adds the close's height above the true low, a fall its depth
 * under the true high. */
static void wad_step(const hy__ind_step *s) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes total = v_load(state + TOTAL), before = v_load(state + CLOSE);
    lanes seen = v_load(state + SEEN);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes high = v_load(s->in[0] + at), low = v_load(s->in[1] + at);
      const lanes close = v_load(s->in[2] + at);
      const mask ok = m_and(v_ok(high + low), v_ok(close));
      const lanes rise = v_only(v_lt(before, close), close - v_min(low, before));
      const lanes fall = v_only(v_lt(close, before), close - v_max(high, before));
      total = v_sel(ok, total + v_only(m_steady(v_lt(v_zero(), seen)), rise + fall), total);
      before = v_sel(ok, close, before);
      seen = v_sel(ok, v_set(1.0), seen);
      v_store(s->out[0] + at, v_keep(ok, v_fin(total)));
    }
    v_store(state + TOTAL, total);
    v_store(state + CLOSE, before);
    v_store(state + SEEN, seen);
  }
}
HY_IND_CODE(wad) = {.step = wad_step, .lookback = none, .state_bytes = bytes};
