/* SPDX-License-Identifier: Apache-2.0
 * Windows by blocks: what a few neighbouring rows amount to (their sum, their largest) is needed by
 * every later window that holds them, so a tile of rows makes it once per row and the windows take
 * it in strides. A leaf is written over fetch(), which loads the block or, for a short chunk or a
 * long window, makes it on the spot: one written form, so the same bits either way, and a value
 * depends on its window alone. */
#ifndef HY_FEATURE_BLOCK_H
#define HY_FEATURE_BLOCK_H

#include "feature/lane/lane.h"

enum { BLOCK = 4, TILE = 64, TILE_REACH = 124, TILE_SHORT = 8, COLUMNS = 5 };

/* The columns of the block whose newest row in[] points at. */
typedef void (*block_fn)(const double *const *in, lanes *column);

/* A row of the inputs with the blocks that end there; tile NULL: there are none. */
typedef struct view {
  const double *in[HY__IND_INPUTS];
  const double
      *tile; /* column 0 of the newest row; rows LANE_WIDTH apart, columns TILE_ROWS rows */
  block_fn block;
  int n_in, n_columns;
} view;

enum { TILE_ROWS = TILE + TILE_REACH };

/* Without a loop: an index that varies would keep the compiler from holding a view in registers,
 * and from seeing which function it calls. */
HY_INLINE void view_shift(const double *const *from, int n, ptrdiff_t by, const double **to) {
  if (n > 0) to[0] = from[0] + by;
  if (n > 1) to[1] = from[1] + by;
  if (n > 2) to[2] = from[2] + by;
  if (n > 3) to[3] = from[3] + by;
  if (n > 4) to[4] = from[4] + by;
  if (n > 5) to[5] = from[5] + by;
}
_Static_assert(HY__IND_INPUTS == 6, "view_shift");

/* Column i of the block in a tile. */
HY_INLINE lanes tile_load(view v, size_t k, int i) {
  return v_load(v.tile + ((ptrdiff_t)i * TILE_ROWS - (ptrdiff_t)k) * LANE_WIDTH);
}

/* The columns of the block whose newest row lies k bars ago. */
HY_INLINE void fetch(view v, size_t k, lanes *column) {
  if (v.tile != NULL) {
    if (v.n_columns > 0) column[0] = tile_load(v, k, 0);
    if (v.n_columns > 1) column[1] = tile_load(v, k, 1);
    if (v.n_columns > 2) column[2] = tile_load(v, k, 2);
    if (v.n_columns > 3) column[3] = tile_load(v, k, 3);
    if (v.n_columns > 4) column[4] = tile_load(v, k, 4);
    return;
  }
  const double *in[HY__IND_INPUTS] = {NULL};
  view_shift(v.in, v.n_in, -(ptrdiff_t)(k * HY_LANES), in);
  for (int i = 0; i < COLUMNS; i++) column[i] = v_zero(); /* for the compiler; all are written */
  v.block(in, column);
}

/* A view without a tile of one series. */
HY_INLINE view view_of(const double *x, block_fn block, int n_columns) {
  return (view){.in = {x}, .block = block, .n_in = 1, .n_columns = n_columns};
}

typedef void (*view_fn)(view v, const double *p, lanes *out);

typedef struct tiling {
  int n_in, n_columns, n_out;
  size_t window, rows; /* of the leaf, of a block; no block reaches past the window */
  block_fn block;
  view_fn leaf;
} tiling;

HY_INLINE view view_at(const hy__ind_step *s, tiling f, size_t t, size_t g) {
  view v = {.block = f.block, .n_in = f.n_in, .n_columns = f.n_columns};
  view_shift(s->in, f.n_in, (ptrdiff_t)(t * HY_LANES + g), v.in);
  return v;
}

HY_INLINE void view_emit(const hy__ind_step *s, tiling f, view v, size_t at) {
  lanes out[HY__IND_OUTPUTS];
  f.leaf(v, s->p, out);
  for (int i = 0; i < f.n_out; i++) v_store(s->out[i] + at, v_fin(out[i]));
}

/* Rows [begin, end), at most TILE of them, of one group of lanes. */
HY_INLINE void tile_run(const hy__ind_step *s, tiling f, size_t begin, size_t end, size_t g) {
  const size_t reach = f.window - f.rows; /* how long ago a block may end */
  double tile[COLUMNS * TILE_ROWS * LANE_WIDTH] __attribute__((aligned(64)));
  for (size_t row = 0; row < reach + end - begin; row++) {
    const ptrdiff_t at = ((ptrdiff_t)(begin + row) - (ptrdiff_t)reach) * HY_LANES + (ptrdiff_t)g;
    const double *in[HY__IND_INPUTS] = {NULL};
    lanes column[COLUMNS];
    view_shift(s->in, f.n_in, at, in);
    f.block(in, column);
    for (int i = 0; i < f.n_columns; i++)
      v_store(tile + ((size_t)i * TILE_ROWS + row) * LANE_WIDTH, column[i]);
  }
  for (size_t t = begin; t < end; t++) {
    view v = view_at(s, f, t, g);
    v.tile = tile + (reach + t - begin) * LANE_WIDTH;
    view_emit(s, f, v, t * HY_LANES + g);
  }
}

/* Applies a leaf to every row of a step. */
HY_INLINE void tiles_map(const hy__ind_step *given, tiling f) {
  own_step own;
  const hy__ind_step *const s = step_own(given, &own);
  EACH_GROUP(s, g) {
    if (s->n < TILE_SHORT || f.window < f.rows || f.window - f.rows > TILE_REACH) {
      for (size_t t = 0; t < s->n; t++) view_emit(s, f, view_at(s, f, t, g), t * HY_LANES + g);
      continue;
    }
    for (size_t t = 0; t < s->n; t += TILE) tile_run(s, f, t, HY_MIN(t + TILE, s->n), g);
  }
}

#endif
