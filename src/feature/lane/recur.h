/* SPDX-License-Identifier: Apache-2.0
 * Recurrences in lanes: exponential averages with a mean as seed. A lane that is missing holds its
 * state, so the values are those of the series without its missing rows. */
#ifndef HY_FEATURE_RECUR_H
#define HY_FEATURE_RECUR_H

#include "feature/lane/lane.h"

/* e is the sum of the seed's inputs until `count` of them came, the average from then on. */
typedef struct ema {
  lanes e, count;
} ema;

enum { EMA_DOUBLES = 2 * HY_LANES };

HY_INLINE ema ema_load(const double *state) {
  return (ema){v_load(state), v_load(state + HY_LANES)};
}
HY_INLINE void ema_save(double *state, ema s) {
  v_store(state, s.e);
  v_store(state + HY_LANES, s.count);
}

/* How an average starts: `skip` inputs are passed over, the next n are averaged. */
typedef struct ema_rule {
  double skip, n, k;
} ema_rule;

HY_INLINE ema_rule ema_span(double n) { return (ema_rule){0, n, 2.0 / (n + 1.0)}; }
HY_INLINE ema_rule ema_wilder(double n) { return (ema_rule){0, n, 1.0 / n}; }

/* Takes x in the lanes of ok; *ready gets the lanes of ok that have an average, which is returned.
 */
HY_INLINE lanes ema_push(ema *s, ema_rule r, lanes x, mask ok, mask *ready) {
  const lanes full = v_set(r.skip + r.n);
  const mask seeding = m_and(ok, v_lt(s->count, full));
  const lanes next = s->e + v_set(r.k) * (x - s->e);
  if (__builtin_expect(m_any(seeding), 0)) {
    const lanes count = s->count + v_set(1.0);
    const lanes sum = v_only(v_lt(v_set(r.skip), count), s->e + x);
    const lanes seed = v_sel(v_lt(count, full), sum, sum / v_set(r.n));
    s->e = v_sel(seeding, seed, v_sel(ok, next, s->e));
    s->count = v_sel(seeding, count, s->count);
  } else {
    s->e = v_sel(ok, next, s->e);
  }
  *ready = m_and(ok, m_steady(v_le(full, s->count)));
  return s->e;
}

/* Rows until a start's weight (1-k)^t is under tol. */
static inline size_t ema_stable(double k, double tol) {
  if (k >= 1.0) return 0;
  return (size_t)(hy__ln(tol) / hy__ln(1.0 - k)) + 1;
}

#endif
