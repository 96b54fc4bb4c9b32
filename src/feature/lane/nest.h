/* SPDX-License-Identifier: Apache-2.0
 * Windows over derived rows: an inner row function makes the rows (true range, a logarithm's
 * square) once per bar, an outer one looks at the last `rows` of them. The derived rows are the
 * node's hidden columns; lanes whose state is zeroed get theirs from the inputs' history first. */
#ifndef HY_FEATURE_NEST_H
#define HY_FEATURE_NEST_H

#include "feature/lane/lane.h"

typedef struct nest {
  int n_in, n_mid, n_out; /* columns of the inputs, of the derived rows, of the outputs */
  size_t rows;            /* derived rows that outer sees, the newest included: mid_rows(p) */
  hy__row_fn inner, outer;
} nest;

/* The state: a row that says which lanes have derived rows. */
static inline size_t nest_bytes(const double *p) { return (void)p, HY_LANES * sizeof(double); }

HY_INLINE void nest_inner(const hy__ind_step *s, nest f, ptrdiff_t at, lanes *mid) {
  const double *in[HY__IND_INPUTS];
  for (int i = 0; i < f.n_in; i++) in[i] = s->in[i] + at;
  f.inner(in, s->p, mid);
}

HY_INLINE void nest_prime(const hy__ind_step *s, nest f, size_t g) {
  double *const primed = (double *)s->state + g;
  const mask fresh = v_eq(v_load(primed), v_zero());
  if (__builtin_expect(!m_any(fresh), 1)) return;
  v_store(primed, v_set(1.0));
  for (size_t k = 1; k < f.rows; k++) {
    const ptrdiff_t at = ((ptrdiff_t)k - (ptrdiff_t)f.rows) * HY_LANES + (ptrdiff_t)g;
    lanes mid[HY__IND_OUTPUTS];
    nest_inner(s, f, at, mid);
    for (int i = 0; i < f.n_mid; i++)
      v_store(s->mid[i] + at, v_sel(fresh, mid[i], v_load(s->mid[i] + at)));
  }
}

HY_INLINE void nest_group(const hy__ind_step *s, nest f, size_t g) {
  for (size_t t = 0; t < s->n; t++) {
    const size_t at = t * HY_LANES + g;
    const double *rows[HY__IND_MIDS];
    lanes mid[HY__IND_OUTPUTS], out[HY__IND_OUTPUTS];
    nest_inner(s, f, (ptrdiff_t)at, mid);
    for (int i = 0; i < f.n_mid; i++) {
      v_store(s->mid[i] + at, mid[i]);
      rows[i] = s->mid[i] + at;
    }
    f.outer(rows, s->p, out);
    for (int i = 0; i < f.n_out; i++) v_store(s->out[i] + at, v_fin(out[i]));
  }
}

/* The derived rows of a whole step, for windows over them in tiles: the step to hand to tiles_map,
 * whose inputs they are. */
HY_INLINE hy__ind_step nest_fill(const hy__ind_step *given, nest f) {
  own_step own;
  const hy__ind_step *const s = step_own(given, &own);
  EACH_GROUP(s, g) {
    nest_prime(s, f, g);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      lanes mid[HY__IND_OUTPUTS];
      nest_inner(s, f, (ptrdiff_t)at, mid);
      for (int i = 0; i < f.n_mid; i++) v_store(s->mid[i] + at, mid[i]);
    }
  }
  hy__ind_step over = *given;
  for (int i = 0; i < f.n_mid; i++) over.in[i] = given->mid[i];
  return over;
}

HY_INLINE void nest_map(const hy__ind_step *given, nest f) {
  own_step own;
  const hy__ind_step *const s = step_own(given, &own);
  EACH_GROUP(s, g) {
    nest_prime(s, f, g);
    nest_group(s, f, g);
  }
}

#endif
