/* SPDX-License-Identifier: Apache-2.0
 * Windows built of windows: what a window of n amounts to is made of that of its newer and of its
 * older part, split by n alone, down to a handful of rows. So windows of several lengths over the
 * same series share their parts, and a value depends on its window alone, whether the parts came
 * from a tile of neighbouring rows, from other windows' ladders or from the rows themselves. */
#ifndef HY_FEATURE_LADDER_H
#define HY_FEATURE_LADDER_H

#include "feature/lane.h"

enum {
  LADDER_BASE = 6, /* the longest window that is made of rows */
  LADDER_LEVELS = 24,
  LADDER_TILE = 64,
  LADDER_SHORT = 8, /* a tile for fewer rows would not pay */
  LADDER_ROWS = 640,
  LADDER_COLUMNS = 5
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

HY_INLINE void ladder_rows(ladder f, const double *const *in, size_t n, lanes *column) {
  switch (n) { /* without loops */
  case 5: f.base(in, 5, column); break;
  case 6: f.base(in, 6, column); break;
  default: f.base(in, n, column);
  }
}

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

/* The lengths that some windows are made of, ascending. */
typedef struct rung {
  size_t n, newer, older; /* the parts' levels */
  size_t reach;           /* how long ago it is still wanted */
  size_t at;              /* its first row in the tile, `reach` rows ago */
} rung;

typedef struct rungs {
  rung of[LADDER_LEVELS];
  size_t n; /* 0: more than a tile holds */
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

static inline rungs rungs_of(const hy__ind_step *const *steps, size_t n_steps) {
  rungs r = {.n = 0};
  size_t rows = 0;
  for (size_t i = 0; i < n_steps; i++)
    if (!rung_add(&r, p_count(steps[i]->p, 0))) return (rungs){.n = 0};
  for (size_t i = r.n; i-- > 0;) {
    rung *const l = &r.of[i];
    if (l->n > LADDER_BASE) {
      l->newer = rung_find(&r, ladder_newer(l->n));
      l->older = rung_find(&r, l->n - ladder_newer(l->n));
      rung *const newer = &r.of[l->newer], *const older = &r.of[l->older];
      newer->reach = HY_MAX(newer->reach, l->reach);
      older->reach = HY_MAX(older->reach, l->reach + newer->n);
    }
    l->at = rows;
    rows += l->reach + LADDER_TILE;
    if (rows > LADDER_ROWS) return (rungs){.n = 0};
  }
  return r;
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

/* Rows [begin, end) of one group of lanes. */
typedef struct stretch {
  const hy__ind_step *s;
  const rungs *r;
  double *tile;
  size_t begin, end, g;
} stretch;

/* One rung, from as long ago as it is wanted. */
HY_INLINE void ladder_climb(stretch x, ladder f, size_t index) {
  const rung l = x.r->of[index], newer = x.r->of[l.newer], older = x.r->of[l.older];
  const size_t row_doubles = (size_t)f.n_columns * LANE_WIDTH;
  const double n_newer = (double)newer.n, n_older = (double)older.n;
  double *to = x.tile + l.at * row_doubles;
  const double *a = x.tile + (newer.at + newer.reach - l.reach) * row_doubles;
  const double *b = x.tile + (older.at + older.reach - l.reach - newer.n) * row_doubles;
  for (size_t row = 0; row < l.reach + x.end - x.begin; row++) {
    lanes first[LADDER_COLUMNS], second[LADDER_COLUMNS], column[LADDER_COLUMNS];
    if (l.n <= LADDER_BASE) {
      const double *in[HY__IND_INPUTS] = {NULL};
      ladder_in(x.s, f, (ptrdiff_t)(x.begin + row) - (ptrdiff_t)l.reach, x.g, in);
      ladder_rows(f, in, l.n, column);
    } else {
      ladder_load(a + row * row_doubles, f.n_columns, first);
      ladder_load(b + row * row_doubles, f.n_columns, second);
      f.merge(first, second, n_newer, n_older, column);
    }
    for (int i = 0; i < f.n_columns; i++)
      v_store(to + row * row_doubles + (size_t)i * LANE_WIDTH, column[i]);
  }
}

HY_INLINE void ladder_tile(const hy__ind_step *const *steps, size_t n_steps, ladder f,
                           const rungs *r, size_t begin, size_t g) {
  double tile[LADDER_ROWS * LADDER_COLUMNS * LANE_WIDTH] __attribute__((aligned(64)));
  const size_t end = HY_MIN(begin + LADDER_TILE, steps[0]->n);
  const size_t row_doubles = (size_t)f.n_columns * LANE_WIDTH;
  for (size_t i = 0; i < r->n; i++) ladder_climb((stretch){steps[0], r, tile, begin, end, g}, f, i);
  for (size_t w = 0; w < n_steps; w++) {
    own_step own;
    const hy__ind_step *const s = step_own(steps[w], &own);
    const rung l = r->of[rung_find(r, p_count(s->p, 0))];
    const double *row = tile + (l.at + l.reach) * row_doubles;
    for (size_t t = begin; t < end; t++, row += row_doubles) {
      lanes column[LADDER_COLUMNS];
      ladder_load(row, f.n_columns, column);
      ladder_emit(s, f, column, t, g);
    }
  }
}

/* Steps over the same rows of the same inputs, each with its window; `slow` is f. */
HY_INLINE void ladder_map(const hy__ind_step *const *steps, size_t n_steps, ladder f,
                          const ladder *slow) {
  const rungs r = rungs_of(steps, n_steps);
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    if (r.n == 0 || steps[0]->n < LADDER_SHORT) {
      for (size_t w = 0; w < n_steps; w++)
        for (size_t t = 0; t < steps[w]->n; t++) {
          const double *in[HY__IND_INPUTS] = {NULL};
          lanes column[LADDER_COLUMNS];
          ladder_in(steps[w], f, (ptrdiff_t)t, g, in);
          ladder_eval(slow, in, p_count(steps[w]->p, 0), column);
          ladder_emit(steps[w], f, column, t, g);
        }
      continue;
    }
    for (size_t t = 0; t < steps[0]->n; t += LADDER_TILE) ladder_tile(steps, n_steps, f, &r, t, g);
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
