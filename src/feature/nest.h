/* SPDX-License-Identifier: Apache-2.0
 * Windows over derived rows: an inner row function makes the rows (true range, a logarithm's
 * square) once per bar, an outer one looks at the last `rows` of them. The derived rows live in a
 * ring in the state, twice, so that a window is one piece; a zeroed state primes it from the
 * inputs' history. */
#ifndef HY_FEATURE_NEST_H
#define HY_FEATURE_NEST_H

#include "feature/lane.h"

typedef struct nest {
  int n_in, n_mid, n_out; /* columns of the inputs, of the derived rows, of the outputs */
  size_t rows;            /* derived rows that outer sees, the newest included */
  hy__row_fn inner, outer;
} nest;

/* The state: a row of which the first double is the ring's position + 1 (0: not primed), then per
 * derived column 2 * rows rows. */
static inline size_t nest_bytes(int n_mid, size_t rows) {
  return (1 + (size_t)n_mid * 2 * rows) * HY_LANES * sizeof(double);
}

/* Makes the derived row of bar t and puts it into slot and slot + rows of each column's ring. */
HY_INLINE void nest_push(const hy__ind_step *s, nest f, ptrdiff_t t, size_t slot, size_t g) {
  double *const ring = (double *)s->state + HY_LANES + g;
  const double *in[HY__IND_INPUTS];
  lanes mid[HY__IND_OUTPUTS];
  for (int i = 0; i < f.n_in; i++) in[i] = s->in[i] + t * HY_LANES + g;
  f.inner(in, s->p, mid);
  for (int i = 0; i < f.n_mid; i++) {
    double *const column = ring + (size_t)i * 2 * f.rows * HY_LANES;
    v_store(column + slot * HY_LANES, mid[i]);
    v_store(column + (slot + f.rows) * HY_LANES, mid[i]);
  }
}

HY_INLINE size_t nest_next(size_t slot, size_t rows) { return slot + 1 == rows ? 0 : slot + 1; }

HY_INLINE void nest_group(const hy__ind_step *s, nest f, size_t slot, size_t g) {
  const double *const ring = (const double *)s->state + HY_LANES + g;
  for (size_t t = 0; t < s->n; t++) {
    const double *mid[HY__IND_OUTPUTS];
    lanes out[HY__IND_OUTPUTS];
    nest_push(s, f, (ptrdiff_t)t, slot, g);
    for (int i = 0; i < f.n_mid; i++)
      mid[i] = ring + ((size_t)i * 2 * f.rows + slot + f.rows) * HY_LANES;
    f.outer(mid, s->p, out);
    for (int i = 0; i < f.n_out; i++) v_store(s->out[i] + t * HY_LANES + g, v_fin(out[i]));
    slot = nest_next(slot, f.rows);
  }
}

HY_INLINE void nest_map(const hy__ind_step *given, nest f) {
  own_step own;
  const hy__ind_step *const s = step_own(given, &own);
  double *const head = s->state;
  const bool primed = *head > 0.0;
  const size_t slot = primed ? (size_t)*head - 1 : f.rows - 1;
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    for (size_t k = 1; k < f.rows && !primed; k++)
      nest_push(s, f, (ptrdiff_t)k - (ptrdiff_t)f.rows, k - 1, g);
    nest_group(s, f, slot, g);
  }
  *head = (double)((slot + s->n) % f.rows + 1);
}

#endif
