/* SPDX-License-Identifier: Apache-2.0
 * Kaufman's efficiency ratio and the average that adapts by it. */
#include "feature/lane/window.h"

static size_t window(const double *p) { return p_count(p, 0); }

/* Column 0: the way of four bars. */
HY_INLINE lanes way(const double *x, size_t k) { return v_abs(v_ago(x, k) - v_ago(x, k + 1)); }
HY_INLINE void way_block(const double *const *in, lanes *column) {
  const double *const x = in[0];
  column[0] = (way(x, 0) + way(x, 1)) + (way(x, 2) + way(x, 3));
}

/* |x - x[n]| over the way between, 1 where that is 0. */
HY_INLINE lanes efficiency_of(view v, size_t n) {
  const double *const x = v.in[0];
  lanes a0 = v_zero(), a1 = v_zero(), c[COLUMNS];
  size_t k = 0;
  for (; k + BLOCK <= n; k += BLOCK) {
    fetch(v, k, c);
    a0 += c[0];
  }
  for (size_t r = 0; r < n % BLOCK; r++, k++) a1 += way(x, k);
  const lanes ratio = v_ratio(v_abs(v_load(x) - v_ago(x, n)), a0 + a1, v_set(1.0));
  return v_sel(v_lt(v_set(1.0), ratio), v_set(1.0), ratio);
}

#define CALL(window) efficiency_of(v, window)
HY_INLINE lanes v_efficiency(view v, size_t n) { USUAL_WINDOWS(n, CALL); }
#undef CALL

HY_INLINE void er_leaf(view v, const double *p, lanes *out) {
  out[0] = v_efficiency(v, p_count(p, 0));
}
static void er_step(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 1, 1, p_count(s->p, 0), BLOCK, way_block, er_leaf});
}
HY_IND_CODE(er) = {.step = er_step, .lookback = window, .history = window};

/* The average starts at the value before its first bar. Constants: spans of 2 and 30 bars. */
static size_t kama_bytes(const double *p) { return (void)p, 2 * HY_LANES * sizeof(double); }
/* The average of a group of lanes, and whether it has begun. */
typedef struct adaptive {
  lanes k, seen;
} adaptive;

HY_INLINE void kama_row(adaptive *a, const double *x, double *out) {
  const double slow = 2.0 / 31.0, reach = 2.0 / 3.0 - slow;
  const lanes ratio = v_load(out), root = ratio * v_set(reach) + v_set(slow);
  const mask ok = v_ok(ratio);
  const lanes before = v_sel(m_steady(v_lt(v_zero(), a->seen)), a->k, v_ago(x, 1));
  a->k = v_sel(ok, before + root * root * (v_load(x) - before), a->k);
  a->seen = v_sel(ok, v_set(1.0), a->seen);
  v_store(out, v_keep(ok, v_fin(a->k)));
}

/* All groups of a row together: each waits for its own average alone. */
HY_INLINE void kama_rows(double *state, const double *x, double *out, size_t n) {
  enum { GROUPS = HY_LANES / LANE_WIDTH };
  adaptive a[GROUPS];
  for (size_t i = 0; i < GROUPS; i++)
    a[i] = (adaptive){v_load(state + i * LANE_WIDTH), v_load(state + HY_LANES + i * LANE_WIDTH)};
  for (size_t t = 0; t < n * HY_LANES; t += HY_LANES)
    for (size_t i = 0; i < GROUPS; i++)
      kama_row(&a[i], x + t + i * LANE_WIDTH, out + t + i * LANE_WIDTH);
  for (size_t i = 0; i < GROUPS; i++) {
    v_store(state + i * LANE_WIDTH, a[i].k);
    v_store(state + HY_LANES + i * LANE_WIDTH, a[i].seen);
  }
}
static void kama_step(const hy__ind_step *s) {
  er_step(s); /* the ratios stand in the output until each is used */
  EACH_BLOCK(s, at) kama_rows((double *)s->state + at, s->in[0] + at, s->out[0] + at, s->n);
}
HY_IND_CODE(kama) = {
    .step = kama_step, .lookback = window, .history = window, .state_bytes = kama_bytes};
