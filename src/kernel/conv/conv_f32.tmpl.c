/* SPDX-License-Identifier: Apache-2.0
 * Convolutions of channels-last float32 rows over the lanes of the vector header that was included
 * before. Parameters: HY_KERNEL, the exported structure's name; HY_ROWS, the tile's rows; HY_TILE,
 * its text. The tile is HY_ROWS x 2 vectors; few rows take several panels at once, so that the
 * multiply-adds' latency stays hidden. */
#include <math.h>

#include "kernel/conv/conv.h"
#include "kernel/simd/control.h"
#include "kernel/simd/math_f32.h"

enum { PANEL = 2 * HY_VL, PANELS_MAX = 4, ACC_MAX = HY_ROWS > 6 ? 2 * HY_ROWS : 12 };

HY_INLINE vf activate(vf x, hy__act act) {
  switch (act) {
  case HY__ACT_RELU: return v_max(v_set(0.0f), x);
  case HY__ACT_SIGMOID: return m_sigmoid(x);
  case HY__ACT_TANH: return m_tanh(x);
  default: return x;
  }
}

/* Where a tile stands: its first row and column. */
typedef struct place {
  size_t row, col;
  size_t n_last; /* columns of its last vector, HY_VL when whole */
} place;

/* What bounds a result from below where the activation does no more than that. */
HY_INLINE vf bound_of(hy__act act) { return v_set(act == HY__ACT_RELU ? 0.0f : -INFINITY); }

/* A tile's sums through a curved activation or an addition, out of line: two dozen copies of it in
 * each of thirty tiles would be most of the library. */
static __attribute__((noinline)) void store_any(const hy__conv_f32_call *call, const place *at,
                                                const int shape[2], const vf *acc) {
  const int rows = shape[0], width = shape[1];
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < width; ++j) {
      const size_t row = at->row + (size_t)i, col = at->col + (size_t)j * HY_VL;
      const size_t n = j == width - 1 ? at->n_last : HY_VL;
      vf y = activate(acc[i * width + j], call->act);
      if (call->add) {
        const float *from = call->add + row * call->add_ld + col;
        y = activate(v_add(y, n == HY_VL ? v_load(from) : v_load_n(from, n)), call->after);
      }
      float *to = call->c + row * call->ldc + col;
      if (n == HY_VL)
        v_store(to, y);
      else
        v_store_n(to, y, n);
    }
  }
}

HY_INLINE void tile_store(const hy__conv_f32_call *call, const place *at, const int shape[3],
                          const vf *acc) {
  const int rows = shape[0], width = shape[1] * shape[2];
  if (call->add || call->act > HY__ACT_RELU) {
    vf kept[ACC_MAX]; /* acc itself stays in registers */
    HY_UNROLL for (int i = 0; i < rows * width; ++i) kept[i] = acc[i];
    store_any(call, at, (const int[2]){rows, width}, kept);
    return;
  }
  const vf bound = bound_of(call->act);
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int j = 0; j < width; ++j) {
      float *to = call->c + (at->row + (size_t)i) * call->ldc + at->col + (size_t)j * HY_VL;
      const vf y = v_max(bound, acc[i * width + j]);
      if (j < width - 1 || at->n_last == HY_VL)
        v_store(to, y);
      else
        v_store_n(to, y, at->n_last);
    }
  }
}

/* A tile: rows x panels x vectors, all three constants at every call. */
HY_INLINE void tile(const hy__conv_f32_call *call, const place *at, const int shape[3]) {
  const int rows = shape[0], vectors = shape[2], width = shape[1] * vectors;
  const size_t k = call->k, lda = call->lda, each = call->each;
  const float *packed = call->packed + at->col * k + call->first * (size_t)vectors * HY_VL;
  vf acc[ACC_MAX];
  HY_UNROLL for (int j = 0; j < width; ++j) {
    const float *from = call->bias + at->col + (size_t)j * HY_VL;
    vf start = v_set(0.0f);
    if (call->bias) start = j == width - 1 ? v_load_n(from, at->n_last) : v_load(from);
    HY_UNROLL for (int i = 0; i < rows; ++i) acc[i * width + j] = start;
  }
  for (size_t t = 0; t < call->n_taps; ++t) {
    const float *a = call->a + at->row * lda + call->taps[t];
    for (size_t p = 0; p < each; ++p, packed += (size_t)vectors * HY_VL) {
      vf b[2 * PANELS_MAX];
      HY_UNROLL for (int j = 0; j < width; ++j) b[j] =
          v_load(packed + (size_t)(j / vectors) * k * PANEL + (size_t)(j % vectors) * HY_VL);
      HY_UNROLL for (int i = 0; i < rows; ++i) {
        const vf x = v_set(a[(size_t)i * lda + p]);
        HY_UNROLL for (int j = 0; j < width; ++j) acc[i * width + j] =
            v_fma(x, b[j], acc[i * width + j]);
      }
    }
  }
  tile_store(call, at, shape, acc);
}

#define TILE(name, rows, panels, vectors)                                                          \
  static void name(const hy__conv_f32_call *call, const place *at) {                               \
    tile(call, at, (const int[3]){rows, panels, vectors});                                         \
  }
typedef void (*tile_fn)(const hy__conv_f32_call *, const place *);

TILE(four_1, 1, 4, 2)
TILE(pair_1, 1, 2, 2)
TILE(pair_2, 2, 2, 2)
TILE(pair_3, 3, 2, 2)
#define PAIR(r) TILE(two_##r, r, 1, 2) TILE(one_##r, r, 1, 1)
PAIR(1)
PAIR(2)
PAIR(3)
PAIR(4)
#if HY_ROWS > 4
PAIR(5)
PAIR(6)
#endif
#if HY_ROWS > 6
PAIR(7)
PAIR(8)
PAIR(9)
PAIR(10)
PAIR(11)
PAIR(12)
PAIR(13)
PAIR(14)
#endif

/* By rows - 1: a panel of two vectors, and the last of one. */
static const tile_fn tiles[HY_ROWS][2] = {
    {two_1, one_1},   {two_2, one_2},   {two_3, one_3},   {two_4, one_4},
#if HY_ROWS > 4
    {two_5, one_5},   {two_6, one_6},
#endif
#if HY_ROWS > 6
    {two_7, one_7},   {two_8, one_8},   {two_9, one_9},   {two_10, one_10},
    {two_11, one_11}, {two_12, one_12}, {two_13, one_13}, {two_14, one_14},
#endif
};
static const tile_fn pairs[3] = {pair_1, pair_2, pair_3};

/* All rows of [row, end) against the panel that begins at column `col`, in equal tiles. */
static void panel(const hy__conv_f32_call *call, size_t col, size_t row, size_t end) {
  const size_t left = call->n - col, n_tiles = (end - row + HY_ROWS - 1) / HY_ROWS;
  const int narrow = left <= HY_VL;
  place at = {.col = col, .n_last = left >= PANEL ? HY_VL : narrow ? left : left - HY_VL};
  for (size_t t = 0; t < n_tiles; ++t) {
    const size_t take = (end - row + (n_tiles - t) - 1) / (n_tiles - t);
    at.row = row;
    tiles[take - 1][narrow](call, &at);
    row += take;
  }
}

static void rows_block(const hy__conv_f32_call *call, size_t begin, size_t end) {
  const size_t n_rows = end - begin;
  place at = {.row = begin, .n_last = HY_VL};
  if (n_rows == 1)
    for (; at.col + 4 * PANEL <= call->n; at.col += 4 * PANEL) four_1(call, &at);
  if (n_rows <= 3)
    for (; at.col + 2 * PANEL <= call->n; at.col += 2 * PANEL) pairs[n_rows - 1](call, &at);
  for (; at.col < call->n; at.col += PANEL) panel(call, at.col, begin, end);
}

/* Blocks of rows whose input stays in the second-level cache while every panel passes over it. */
static void run(const hy__conv_f32_call *call) {
  enum { BLOCK_FLOATS = 48 * 1024 };
  size_t block = BLOCK_FLOATS / (call->lda ? call->lda : 1) / HY_ROWS * HY_ROWS;
  if (block < 4 * HY_ROWS) block = 4 * HY_ROWS;
  unsigned saved = control_flush();
  for (size_t row = 0; row < call->m; row += block)
    rows_block(call, row, row + block < call->m ? row + block : call->m);
  control_restore(saved);
}

/* --- one channel to one channel --- */

/* Rows [row, row + rows) of the vector of columns that begins at col. */
HY_INLINE void depth_tile(const hy__conv_depth_call *call, size_t row, size_t col, const int rows,
                          size_t n) {
  vf acc[4];
  const vf start = call->bias ? v_load_n(call->bias + col, n) : v_set(0.0f);
  HY_UNROLL for (int i = 0; i < rows; ++i) acc[i] = start;
  for (size_t t = 0; t < call->n_taps; ++t) {
    const vf w = v_load_n(call->weights + t * call->n + col, n);
    const float *a = call->a + row * call->lda + call->taps[t] + col;
    HY_UNROLL for (int i = 0; i < rows; ++i) acc[i] =
        v_fma(v_load_n(a + (size_t)i * call->lda, n), w, acc[i]);
  }
  HY_UNROLL for (int i = 0; i < rows; ++i)
      v_store_n(call->c + (row + (size_t)i) * call->ldc + col, activate(acc[i], call->act), n);
}

static void depth(const hy__conv_depth_call *call) {
  unsigned saved = control_flush();
  for (size_t col = 0; col < call->n; col += HY_VL) {
    const size_t n = call->n - col < HY_VL ? call->n - col : HY_VL;
    size_t row = 0;
    if (n == HY_VL)
      for (; row + 4 <= call->m; row += 4) depth_tile(call, row, col, 4, HY_VL);
    else
      for (; row + 4 <= call->m; row += 4) depth_tile(call, row, col, 4, n);
    for (; row < call->m; ++row) depth_tile(call, row, col, 1, n);
  }
  control_restore(saved);
}

/* --- pools --- */

/* NaN in either passes on, but for one that comes after infinity. */
HY_INLINE vf larger(vf most, vf x) {
  return v_pick(v_lt(most, v_set(INFINITY)), v_max(most, x), most);
}

HY_INLINE void max_of(const hy__pool_call *call, const float *x, float *y, size_t n) {
  vf most = v_set(-INFINITY);
  for (size_t t = 0; t < call->n_taps; ++t) most = larger(most, v_load_n(x + call->taps[t], n));
  v_store_n(y, most, n);
}

/* Four sums side by side over the taps, so that no addition waits for the one before. */
HY_INLINE void sum_of(const hy__pool_call *call, const float *x, float *y, size_t n) {
  vf sum[4] = {v_set(0.0f), v_set(0.0f), v_set(0.0f), v_set(0.0f)};
  size_t t = 0;
  for (; t + 4 <= call->n_taps; t += 4)
    HY_UNROLL for (int i = 0; i < 4; ++i) sum[i] =
        v_add(sum[i], v_load_n(x + call->taps[t + (size_t)i], n));
  for (; t < call->n_taps; ++t) sum[0] = v_add(sum[0], v_load_n(x + call->taps[t], n));
  const vf all = v_add(v_add(sum[0], sum[1]), v_add(sum[2], sum[3]));
  v_store_n(y, v_mul(all, v_set(call->scale)), n);
}

#define POOL(name, one)                                                                            \
  static void name(const hy__pool_call *call) {                                                    \
    const size_t whole = call->n / HY_VL * HY_VL;                                                  \
    for (size_t i = 0; i < call->m; ++i) {                                                         \
      const float *x = call->x + i * call->x_ld;                                                   \
      float *y = call->y + i * call->n;                                                            \
      for (size_t j = 0; j < whole; j += HY_VL) one(call, x + j, y + j, HY_VL);                    \
      if (whole < call->n) one(call, x + whole, y + whole, call->n - whole);                       \
    }                                                                                              \
  }
POOL(pool_max, max_of)
POOL(pool_sum, sum_of)
#undef POOL

extern const hy__conv_f32 HY_KERNEL;
const hy__conv_f32 HY_KERNEL = {.lanes = HY_VL,
                                .panel = PANEL,
                                .tile = HY_TILE,
                                .run = run,
                                .depth = depth,
                                .pool_max = pool_max,
                                .pool_sum = pool_sum};
