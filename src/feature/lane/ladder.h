/* SPDX-License-Identifier: Apache-2.0
 * Windows built of windows: what a window of n amounts to is made of that of its newer and of its
 * older part, split by n alone, down to a handful of rows. So windows of several lengths over the
 * same series share their parts, and a value depends on its window alone, whether the parts came
 * from a ring of neighbouring rows, from other windows' ladders or from the rows themselves. */
#ifndef HY_FEATURE_LADDER_H
#define HY_FEATURE_LADDER_H

#include "feature/lane/lane.h"

enum {
  LADDER_BASE = 6, /* the longest window that is made of rows */
  LADDER_LEVELS = 24,
  LADDER_STRIP = 32, /* rows of a level that are made in one go */
  LADDER_SHORT = 8,  /* for fewer rows the parts would not pay */
  LADDER_ROWS = 640,
  LADDER_COLUMNS = 5,
  LADDER_PARAMS = 3 /* that a leaf reads */
};

typedef struct ladder {
  int n_in, n_columns, n_out;
  /* n rows at in[], n <= LADDER_BASE */
  void (*base)(const double *const *in, size_t n, lanes *column);
  void (*merge)(const lanes *newer, const lanes *older, double n_newer, double n_older,
                lanes *column);
  /* the outputs of the window p[0] */
  void (*leaf)(const double *const *in, const double *p, const lanes *column, lanes *out);
} ladder;

HY_INLINE size_t ladder_newer(size_t n) { return n % 2 == 0 ? n / 2 : n % 5 == 0 ? n - 5 : n - 1; }

/* From the rows themselves. */
static inline void ladder_eval(const ladder *f, const double *const *in, size_t n, lanes *column) {
  if (n <= LADDER_BASE) {
    f->base(in, n, column);
    return;
  }
  const size_t n_newer = ladder_newer(n);
  const double *older_in[HY__IND_INPUTS] = {NULL};
  lanes newer[LADDER_COLUMNS], older[LADDER_COLUMNS];
  for (int i = 0; i < f->n_in; i++) older_in[i] = in[i] - n_newer * HY_LANES;
  ladder_eval(f, in, n_newer, newer);
  ladder_eval(f, older_in, n - n_newer, older);
  f->merge(newer, older, (double)n_newer, (double)(n - n_newer), column);
}

/* The lengths that some windows are made of, ascending. Each has a ring of the rows that are still
 * wanted: few enough together to stay in the first-level cache. */
typedef struct rung {
  size_t n, newer, older; /* the parts' levels */
  size_t reach;           /* how long before the first row it is wanted */
  size_t back;            /* how many rows ago it is wanted as an older part */
  size_t at, mask;        /* of its ring: first row, rows - 1 */
  size_t step;            /* the first that has this window; SIZE_MAX: none */
} rung;

typedef struct rungs {
  rung of[LADDER_LEVELS];
  size_t n; /* 0: more than the rings hold */
} rungs;

static inline size_t rung_find(const rungs *r, size_t n) {
  size_t i = 0;
  while (i < r->n && r->of[i].n < n) i++;
  return i;
}

static inline bool rung_add(rungs *r, size_t n) {
  const size_t at = rung_find(r, n);
  if (at < r->n && r->of[at].n == n) return true;
  if (r->n == LADDER_LEVELS) return false;
  for (size_t i = r->n++; i > at; i--) r->of[i] = r->of[i - 1];
  r->of[at] = (rung){.n = n};
  return n <= LADDER_BASE || (rung_add(r, ladder_newer(n)) && rung_add(r, n - ladder_newer(n)));
}

static inline void rung_link(rungs *r, rung *l) {
  l->newer = rung_find(r, ladder_newer(l->n));
  l->older = rung_find(r, l->n - ladder_newer(l->n));
  rung *const newer = &r->of[l->newer], *const older = &r->of[l->older];
  newer->reach = HY_MAX(newer->reach, l->reach);
  older->reach = HY_MAX(older->reach, l->reach + newer->n);
  older->back = HY_MAX(older->back, newer->n);
}

static inline size_t steps_find(const hy__ind_step *const *steps, size_t n_steps, size_t from,
                                size_t n) {
  for (size_t w = from; w < n_steps; w++)
    if (p_count(steps[w]->p, 0) == n) return w;
  return SIZE_MAX;
}

static inline rungs rungs_of(const hy__ind_step *const *steps, size_t n_steps) {
  rungs r = {.n = 0};
  size_t rows = 0;
  for (size_t i = 0; i < n_steps; i++)
    if (!rung_add(&r, p_count(steps[i]->p, 0))) return (rungs){.n = 0};
  for (size_t i = r.n; i-- > 0;) {
    rung *const l = &r.of[i];
    size_t ring = LADDER_STRIP;
    if (l->n > LADDER_BASE) rung_link(&r, l);
    while (ring < l->back + LADDER_STRIP) ring *= 2;
    l->at = rows;
    l->mask = ring - 1;
    l->step = steps_find(steps, n_steps, 0, l->n);
    rows += ring;
    if (rows > LADDER_ROWS) return (rungs){.n = 0};
  }
  return r;
}

/* As step_own, what a ladder needs of it. */
HY_INLINE const hy__ind_step *ladder_own(const hy__ind_step *s, ladder f, own_step *own) {
  for (int i = 0; i < f.n_in; i++) OWN_POINTER(own->s.in[i], s->in[i]);
  for (int i = 0; i < f.n_out; i++) OWN_POINTER(own->s.out[i], s->out[i]);
  for (int i = 0; i < LADDER_PARAMS; i++) own->p[i] = s->p[i];
  own->s.p = own->p;
  return &own->s;
}

HY_INLINE void ladder_in(const hy__ind_step *s, ladder f, ptrdiff_t t, size_t g,
                         const double **in) {
  for (int i = 0; i < f.n_in; i++) in[i] = s->in[i] + t * HY_LANES + (ptrdiff_t)g;
}

HY_INLINE void ladder_emit(const hy__ind_step *s, ladder f, const lanes *column, size_t t,
                           size_t g) {
  const double *in[HY__IND_INPUTS] = {NULL};
  lanes out[HY__IND_OUTPUTS];
  ladder_in(s, f, (ptrdiff_t)t, g, in);
  f.leaf(in, s->p, column, out);
  for (int i = 0; i < f.n_out; i++) v_store(s->out[i] + t * HY_LANES + g, v_fin(out[i]));
}

HY_INLINE void ladder_load(const double *row, int n_columns, lanes *column) {
  for (int i = 0; i < n_columns; i++) column[i] = v_load(row + i * LANE_WIDTH);
}
HY_INLINE void ladder_store(double *row, int n_columns, const lanes *column) {
  for (int i = 0; i < n_columns; i++) v_store(row + i * LANE_WIDTH, column[i]);
}

/* Rows [begin, end) of one group of lanes, neighbours in a ring; the step's first row is `zero`,
 * those before it are for later ones. */
typedef struct strip {
  double *rings;
  size_t begin, end, zero, g;
} strip;

HY_INLINE double *ring_row(strip x, ladder f, const rung *l, size_t row) {
  return x.rings + (l->at + (row & l->mask)) * ((size_t)f.n_columns * LANE_WIDTH);
}

HY_INLINE void ladder_base(strip x, ladder f, const rung *l, const hy__ind_step *s, size_t n) {
  double *to = ring_row(x, f, l, x.begin);
  for (size_t row = x.begin; row < x.end; row++, to += f.n_columns * LANE_WIDTH) {
    const double *in[HY__IND_INPUTS] = {NULL};
    lanes column[LADDER_COLUMNS];
    ladder_in(s, f, (ptrdiff_t)row - (ptrdiff_t)x.zero, x.g, in);
    f.base(in, n, column);
    ladder_store(to, f.n_columns, column);
  }
}

/* And what leaves of it, where `leaves`. */
HY_INLINE void ladder_merge(strip x, ladder f, const rung *l, const rung *of, const hy__ind_step *s,
                            bool leaves) {
  const rung *const newer = &of[l->newer];
  const rung older = of[l->older];
  const size_t ago = newer->n;
  const double n_newer = (double)ago, n_older = (double)older.n;
  const double *a = ring_row(x, f, newer, x.begin);
  double *to = ring_row(x, f, l, x.begin);
  for (size_t row = x.begin; row < x.end; row++) {
    lanes first[LADDER_COLUMNS], second[LADDER_COLUMNS], column[LADDER_COLUMNS];
    ladder_load(a, f.n_columns, first);
    ladder_load(ring_row(x, f, &older, row - ago), f.n_columns, second);
    f.merge(first, second, n_newer, n_older, column);
    ladder_store(to, f.n_columns, column);
    if (leaves) ladder_emit(s, f, column, row - x.zero, x.g);
    a += f.n_columns * LANE_WIDTH;
    to += f.n_columns * LANE_WIDTH;
  }
}

HY_INLINE void ladder_leave(strip x, ladder f, const rung *l, const hy__ind_step *s) {
  const double *from = ring_row(x, f, l, x.begin);
  for (size_t row = x.begin; row < x.end; row++, from += f.n_columns * LANE_WIDTH) {
    lanes column[LADDER_COLUMNS];
    ladder_load(from, f.n_columns, column);
    ladder_emit(s, f, column, row - x.zero, x.g);
  }
}

/* The strip's rows of one rung, for the steps [begin, end). */
HY_INLINE void ladder_climb(strip x, ladder f, const rungs *r, const rung *l,
                            const hy__ind_step *const *steps, size_t n_steps) {
  own_step own;
  size_t w = l->step;
  const bool leaves = w != SIZE_MAX && x.begin >= x.zero;
  const hy__ind_step *const s = ladder_own(steps[leaves ? w : 0], f, &own);
  if (x.begin + l->reach < x.zero) x.begin = HY_MIN(x.zero - l->reach, x.end);
  if (l->n > LADDER_BASE && leaves) {
    ladder_merge(x, f, l, r->of, s, true);
  } else if (l->n > LADDER_BASE) {
    ladder_merge(x, f, l, r->of, s, false);
  } else {
    switch (l->n) { /* without loops */
    case 5: ladder_base(x, f, l, s, 5); break;
    case 6: ladder_base(x, f, l, s, 6); break;
    default: ladder_base(x, f, l, s, l->n);
    }
    if (leaves) ladder_leave(x, f, l, s);
  }
  if (!leaves) return;
  while ((w = steps_find(steps, n_steps, w + 1, l->n)) != SIZE_MAX)
    ladder_leave(x, f, l, ladder_own(steps[w], f, &own));
}

HY_INLINE void ladder_run(const hy__ind_step *const *steps, size_t n_steps, ladder f,
                          const rungs *r, size_t g) {
  double rings[LADDER_ROWS * LADDER_COLUMNS * LANE_WIDTH] __attribute__((aligned(64)));
  size_t zero = 0;
  for (size_t i = 0; i < r->n; i++) zero = HY_MAX(zero, r->of[i].reach);
  zero = (zero + LADDER_STRIP - 1) / LADDER_STRIP * LADDER_STRIP;
  const size_t end = zero + steps[0]->n;
  for (size_t row = 0; row < end; row += LADDER_STRIP) {
    const strip x = {rings, row, HY_MIN(row + LADDER_STRIP, end), zero, g};
    for (size_t i = 0; i < r->n; i++) ladder_climb(x, f, r, &r->of[i], steps, n_steps);
  }
}

/* Steps over the same rows of the same inputs, each with its window; `slow` is f. */
HY_INLINE void ladder_map(const hy__ind_step *const *steps, size_t n_steps, ladder f,
                          const ladder *slow) {
  const rungs r = rungs_of(steps, n_steps);
  EACH_GROUP(steps[0], g) {
    if (r.n != 0 && steps[0]->n >= LADDER_SHORT) {
      ladder_run(steps, n_steps, f, &r, g);
      continue;
    }
    for (size_t w = 0; w < n_steps; w++)
      for (size_t t = 0; t < steps[w]->n; t++) {
        const double *in[HY__IND_INPUTS] = {NULL};
        lanes column[LADDER_COLUMNS];
        ladder_in(steps[w], f, (ptrdiff_t)t, g, in);
        ladder_eval(slow, in, p_count(steps[w]->p, 0), column);
        ladder_emit(steps[w], f, column, t, g);
      }
  }
}

/* A row's step and group over a ladder, which stands here twice: its functions are inlined where
 * nothing points at it. */
#define LADDER(symbol, ...)                                                                        \
  static const ladder symbol##_ladder = __VA_ARGS__;                                               \
  static void symbol##_group(const hy__ind_step *const *steps, size_t n) {                         \
    ladder_map(steps, n, (ladder)__VA_ARGS__, &symbol##_ladder);                                   \
  }                                                                                                \
  static void symbol##_step(const hy__ind_step *s) { symbol##_group(&s, 1); }

#endif
