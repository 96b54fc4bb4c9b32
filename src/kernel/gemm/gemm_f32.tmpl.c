/* SPDX-License-Identifier: Apache-2.0
 * The float32 matrix product over the lanes of the vector header that was included before.
 * Parameters: HY_KERNEL, the exported structure's name; HY_ROWS, the tile's rows; HY_TILE, its
 * text. The tile is HY_ROWS x 2 vectors; fewer rows take several panels at once, so that the
 * multiply-adds' latency stays hidden. */
#include <math.h>

#include "kernel/gemm/gemm.h"
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

/* What bounds a result from below where the activation does no more than that. */
HY_INLINE vf bound_of(hy__act act) { return v_set(act == HY__ACT_RELU ? 0.0f : -INFINITY); }

/* A tile's sums through a curved activation, out of line: two dozen copies of it in each of thirty
 * tiles would be most of the library. */
static __attribute__((noinline)) void store_curved(const hy__gemm_f32_call *call, const vf *acc,
                                                   float *c, const int shape[2], size_t n_last) {
  for (int i = 0; i < shape[0]; ++i)
    for (int j = 0; j < shape[1]; ++j)
      v_store_n(c + (size_t)i * call->ldc + (size_t)j * HY_VL,
                activate(acc[i * shape[1] + j], call->act), j == shape[1] - 1 ? n_last : HY_VL);
}

/* A tile: rows x panels x vectors, all three constants at every call. `packed` is the first panel,
 * `init` and `c` the tile's first element, n_last the columns of its last vector (HY_VL when
 * whole). */
HY_INLINE void tile(const hy__gemm_f32_call *call, const float *a, const float *packed,
                    const float *init, float *c, const int shape[3], size_t n_last) {
  const int rows = shape[0], panels = shape[1], vectors = shape[2], width = panels * vectors;
  const size_t k = call->k;
  vf acc[ACC_MAX];
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int j = 0; j < width; ++j) {
      const float *from = init + (size_t)i * call->init_ld + (size_t)j * HY_VL;
      if (!init)
        acc[i * width + j] = v_set(0.0f);
      else
        acc[i * width + j] = j == width - 1 ? v_load_n(from, n_last) : v_load(from);
    }
  }
  for (size_t p = 0; p < k; ++p) {
    vf b[2 * PANELS_MAX];
    HY_UNROLL for (int j = 0; j < width; ++j) {
      const float *panel = packed + (size_t)(j / vectors) * k * PANEL;
      b[j] = v_load(panel + (p * (size_t)vectors + (size_t)(j % vectors)) * HY_VL);
    }
    HY_UNROLL for (int i = 0; i < rows; ++i) {
      vf x = v_set(a[(size_t)i * call->lda + p]);
      HY_UNROLL for (int j = 0; j < width; ++j) acc[i * width + j] =
          v_fma(x, b[j], acc[i * width + j]);
    }
  }
  if (call->act > HY__ACT_RELU) {
    vf kept[ACC_MAX]; /* acc itself stays in registers */
    HY_UNROLL for (int i = 0; i < rows * width; ++i) kept[i] = acc[i];
    store_curved(call, kept, c, (const int[2]){rows, width}, n_last);
    return;
  }
  const vf bound = bound_of(call->act);
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int j = 0; j < width; ++j) {
      float *to = c + (size_t)i * call->ldc + (size_t)j * HY_VL;
      const vf y = v_max(bound, acc[i * width + j]);
      if (j == width - 1)
        v_store_n(to, y, n_last);
      else
        v_store(to, y);
    }
  }
}

#define TILE(name, rows, panels, vectors)                                                          \
  static void name(const hy__gemm_f32_call *call, const float *a, const float *packed,             \
                   const float *init, float *c, size_t n_last) {                                   \
    tile(call, a, packed, init, c, (const int[3]){rows, panels, vectors}, n_last);                 \
  }
typedef void (*tile_fn)(const hy__gemm_f32_call *, const float *, const float *, const float *,
                        float *, size_t);

TILE(wide_1, 1, 4, 2)
TILE(half_1, 1, 2, 2)
TILE(wide_2, 2, 2, 2)
TILE(wide_3, 3, 2, 2)
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
/* Few rows take several whole panels at once, and what is left of them by fewer. */
typedef struct several {
  tile_fn fn;
  size_t panels;
} several;
static const several wides[3][2] = {
    {{wide_1, 4}, {half_1, 2}}, {{wide_2, 2}, {NULL, 1}}, {{wide_3, 2}, {NULL, 1}}};

/* All rows of [row, row_end) against columns [col, call->n): a strip of the result, rows in equal
 * tiles. */
static void panel(const hy__gemm_f32_call *call, size_t col, size_t rows[2]) {
  const size_t left = call->n - col, n_rows = rows[1] - rows[0];
  const size_t n_tiles = (n_rows + HY_ROWS - 1) / HY_ROWS;
  const int narrow = left <= HY_VL;
  const size_t vector_end = left >= PANEL ? HY_VL : narrow ? left : left - HY_VL;
  const float *packed = call->packed + col * call->k;
  size_t row = rows[0];
  for (size_t t = 0; t < n_tiles; ++t) {
    size_t take = (rows[1] - row + (n_tiles - t) - 1) / (n_tiles - t);
    const float *init = call->init ? call->init + row * call->init_ld + col : NULL;
    tiles[take - 1][narrow](call, call->a + row * call->lda, packed, init,
                            call->c + row * call->ldc + col, vector_end);
    row += take;
  }
}

/* Columns [col, ..) of few rows by the tile of several panels. */
static void panels(const hy__gemm_f32_call *call, tile_fn fn, size_t col, size_t begin) {
  const float *init = call->init ? call->init + begin * call->init_ld + col : NULL;
  fn(call, call->a + begin * call->lda, call->packed + col * call->k, init,
     call->c + begin * call->ldc + col, HY_VL);
}

static void rows_block(const hy__gemm_f32_call *call, size_t begin, size_t end) {
  static const several none[2] = {{NULL, 1}, {NULL, 1}};
  const several *by = end - begin <= 3 ? wides[end - begin - 1] : none;
  const size_t wide = by[0].panels * PANEL, half = by[1].panels * PANEL;
  const size_t n_wide = by[0].fn ? call->n / wide : 0, wide_end = n_wide * wide;
  const size_t n_half = by[1].fn ? (call->n - wide_end) / half : 0;
  const size_t half_end = wide_end + n_half * half;
  const size_t n = n_wide + n_half + (call->n - half_end + PANEL - 1) / PANEL;
  for (size_t i = 0; i < n; ++i) {
    const size_t at = call->turned ? n - 1 - i : i;
    if (at < n_wide)
      panels(call, by[0].fn, at * wide, begin);
    else if (at < n_wide + n_half)
      panels(call, by[1].fn, wide_end + (at - n_wide) * half, begin);
    else
      panel(call, half_end + (at - n_wide - n_half) * PANEL, (size_t[2]){begin, end});
  }
}

/* One row by pairs, over `panels` panels of so many vectors: the chains of `tile`. */
HY_INLINE void tile_pairs(const hy__gemm_f32_call *call, size_t col, const int shape[2],
                          size_t n_last) {
  const int vectors = shape[1], width = shape[0] * vectors;
  const size_t k = call->k, n_pairs = (k + 1) / 2;
  const float *packed = call->packed + col * n_pairs, *a = call->a;
  vf acc[2 * PANELS_MAX];
  HY_UNROLL for (int j = 0; j < width; ++j) {
    const float *from = call->init + col + (size_t)j * HY_VL;
    if (!call->init)
      acc[j] = v_set(0.0f);
    else
      acc[j] = j == width - 1 ? v_load_n(from, n_last) : v_load(from);
  }
  for (size_t p = 0; p < n_pairs; ++p) {
    const vf x = v_set(a[2 * p]), next = v_set(2 * p + 1 < k ? a[2 * p + 1] : 0.0f);
    HY_UNROLL for (int j = 0; j < width; ++j) {
      const float *panel = packed + (size_t)(j / vectors) * n_pairs * PANEL;
      vf low, high;
      v_load_pairs(panel + (p * (size_t)vectors + (size_t)(j % vectors)) * HY_VL, &low, &high);
      acc[j] = v_fma(next, high, v_fma(x, low, acc[j]));
    }
  }
  if (call->act > HY__ACT_RELU) {
    vf kept[2 * PANELS_MAX];
    HY_UNROLL for (int j = 0; j < width; ++j) kept[j] = acc[j];
    store_curved(call, kept, call->c + col, (const int[2]){1, width}, n_last);
    return;
  }
  const vf bound = bound_of(call->act);
  HY_UNROLL for (int j = 0; j < width; ++j) {
    float *to = call->c + col + (size_t)j * HY_VL;
    v_store_n(to, v_max(bound, acc[j]), j == width - 1 ? n_last : HY_VL);
  }
}

/* Columns from `col` on, as many as the largest tile takes; returns them. */
static size_t pairs_at(const hy__gemm_f32_call *call, size_t col) {
  const size_t left = call->n - col;
  if (left >= 4 * PANEL) {
    tile_pairs(call, col, (const int[2]){4, 2}, HY_VL);
    return 4 * PANEL;
  }
  if (left > HY_VL)
    tile_pairs(call, col, (const int[2]){1, 2}, left < PANEL ? left - HY_VL : HY_VL);
  else
    tile_pairs(call, col, (const int[2]){1, 1}, left);
  return left < PANEL ? left : PANEL;
}

static void run_pairs(const hy__gemm_f32_call *call) {
  for (size_t col = 0; col < call->n;) col += pairs_at(call, col);
}

/* The sum of k products: chains by lane and by four vectors in turn, then halves upon halves. */
HY_INLINE float dot(const float *a, const float *b, size_t k) {
  vf acc[4] = {v_set(0.0f), v_set(0.0f), v_set(0.0f), v_set(0.0f)};
  size_t p = 0;
  for (; p + 4 * HY_VL <= k; p += 4 * HY_VL) {
    HY_UNROLL for (int i = 0; i < 4; ++i) acc[i] =
        v_fma(v_load(a + p + i * HY_VL), v_load(b + p + i * HY_VL), acc[i]);
  }
  HY_UNROLL for (int i = 0; i < 4; ++i) {
    if (p >= k) break;
    const size_t left = k - p;
    const vf x = left < HY_VL ? v_load_n(a + p, left) : v_load(a + p);
    acc[i] = v_fma(x, v_load(b + p), acc[i]);
    p += HY_VL;
  }
  float lanes[HY_VL];
  v_store(lanes, v_add(v_add(acc[0], acc[1]), v_add(acc[2], acc[3])));
  HY_UNROLL for (int half = HY_VL / 2; half > 0; half /= 2) {
    HY_UNROLL for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

static void narrow(const hy__gemm_f32_call *call) {
  const size_t padded = (call->k + HY_VL - 1) / HY_VL * HY_VL, n = call->n;
  for (size_t row = 0; row < call->m; ++row) {
    float y[HY_VL] = {0};
    for (size_t j = 0; j < n; ++j)
      y[j] = dot(call->a + row * call->lda, call->packed + j * padded, call->k);
    const vf init = call->init ? v_load_n(call->init + row * call->init_ld, n) : v_set(0.0f);
    v_store_n(call->c + row * call->ldc, activate(v_add(init, v_load(y)), call->act), n);
  }
}

/* Blocks of rows whose left-hand side stays in the second-level cache while every panel passes
 * over it. */
static void run(const hy__gemm_f32_call *call) {
  enum { BLOCK_FLOATS = 48 * 1024 };
  size_t block = BLOCK_FLOATS / (call->k ? call->k : 1) / HY_ROWS * HY_ROWS;
  if (block < 4 * HY_ROWS) block = 4 * HY_ROWS;
  unsigned saved = control_flush();
  if (call->n <= HY__GEMM_NARROW)
    narrow(call);
  else if (call->pairs)
    run_pairs(call);
  else
    for (size_t row = 0; row < call->m; row += block)
      rows_block(call, row, row + block < call->m ? row + block : call->m);
  control_restore(saved);
}

extern const hy__gemm_f32 HY_KERNEL;
const hy__gemm_f32 HY_KERNEL = {.lanes = HY_VL, .panel = PANEL, .tile = HY_TILE, .run = run};
