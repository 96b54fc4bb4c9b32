/* SPDX-License-Identifier: Apache-2.0
 * One head of attention in float32 over the lanes of the vector header that was included before.
 * Parameters: HY_KERNEL, the exported structure's name; HY_ROWS, the queries of a block, 4 or 8;
 * HY_TILE, its text. Keys are turned into panels of two vectors once; then for each block of
 * queries: scores, softmax, the sum over the values. */
#include <math.h>

#include "kernel/attention/attention.h"
#include "kernel/simd/control.h"
#include "kernel/simd/math_f32.h"

enum { PANEL = 2 * HY_VL, EXP_ROWS = HY_REGISTERS / 8 };

/* A vector of keys from key j, turned into to[d * PANEL]; zeros past the last key. */
static void turn_square(const hy__attention_call *call, size_t j, float *to) {
  const size_t n = j >= call->keys ? 0 : call->keys - j < HY_VL ? call->keys - j : HY_VL;
  for (size_t d = 0; d < call->depth; d += HY_VL) {
    const size_t left = call->depth - d < HY_VL ? call->depth - d : HY_VL;
    vf rows[HY_VL];
    HY_UNROLL for (size_t i = 0; i < HY_VL; ++i) rows[i] =
        i < n ? v_load_n(call->k + (j + i) * call->k_ld + d, left) : v_set(0.0f);
    v_transpose(rows);
    for (size_t i = 0; i < left; ++i) v_store(to + (d + i) * PANEL, rows[i]);
  }
}

/* The same where a key's elements do not lie side by side. */
static void turn_any(const hy__attention_call *call, size_t j, float *to) {
  for (size_t d = 0; d < call->depth; ++d)
    for (size_t i = 0; i < HY_VL; ++i) {
      const float *from = call->k + d * call->k_step;
      to[d * PANEL + i] = j + i < call->keys ? from[(j + i) * call->k_ld] : 0.0f;
    }
}

/* Keys as [panel][depth][PANEL], zeros past the last. */
static void turn_keys(const hy__attention_call *call, float *to) {
  for (size_t j = 0; j < call->keys; j += PANEL, to += PANEL * call->depth)
    for (size_t half = 0; half < PANEL; half += HY_VL)
      if (call->k_step == 1)
        turn_square(call, j + half, to + half);
      else
        turn_any(call, j + half, to + half);
}

/* A block of queries: the first, and the keys that its last row sees. */
typedef struct block {
  size_t row, keys;
  const float *panels;
  float *scores; /* [rows][ld] */
  size_t ld;
} block;

/* scores = scale q k + mask, to the end of the last panel. */
HY_INLINE void score(const hy__attention_call *call, const block *b, const int rows) {
  const float *panel = b->panels;
  const vf scale = v_set(call->scale);
  for (size_t j = 0; j < b->keys; j += PANEL) {
    vf acc[2 * HY_ROWS];
    HY_UNROLL for (int i = 0; i < 2 * rows; ++i) acc[i] = v_set(0.0f);
    for (size_t d = 0; d < call->depth; ++d, panel += PANEL) {
      const vf low = v_load(panel), high = v_load(panel + HY_VL);
      HY_UNROLL for (int i = 0; i < rows; ++i) {
        const vf q = v_set(call->q[(b->row + (size_t)i) * call->q_ld + d]);
        acc[2 * i] = v_fma(q, low, acc[2 * i]);
        acc[2 * i + 1] = v_fma(q, high, acc[2 * i + 1]);
      }
    }
    const size_t n = call->keys - j < PANEL ? call->keys - j : PANEL;
    const size_t n_low = n < HY_VL ? n : HY_VL;
    HY_UNROLL for (int i = 0; i < rows; ++i) {
      float *to = b->scores + (size_t)i * b->ld + j;
      vf low = v_mul(acc[2 * i], scale), high = v_mul(acc[2 * i + 1], scale);
      if (call->mask) {
        const float *mask = call->mask + (b->row + (size_t)i) * call->mask_ld + j;
        low = v_add(low, v_load_n(mask, n_low));
        if (n > HY_VL) high = v_add(high, v_load_n(mask + HY_VL, n - HY_VL));
      }
      v_store(to, low);
      v_store(to + HY_VL, high);
    }
  }
}

/* How many keys query i sees. */
static size_t seen_by(const hy__attention_call *call, size_t i) {
  const size_t n = call->seen + i * call->seen_step;
  return n < call->keys ? n : call->keys;
}

/* Exponentials of rows [first, first + rows) of a block in place, zeros past what a row sees, and
 * one over each sum. Rows stand side by side: their chains of maxima, sums and quotients overlap.
 * NaN that the maximum passes over comes back through the exponentials. */
HY_INLINE void exponentials(const hy__attention_call *call, const block *b, int first,
                            const int rows, float *inverse) {
  const size_t whole = (b->keys + HY_VL - 1) / HY_VL * HY_VL;
  float *s = b->scores + (size_t)first * b->ld;
  vf most[EXP_ROWS], shift[EXP_ROWS], sum[EXP_ROWS];
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    most[i] = v_set(-INFINITY);
    sum[i] = v_set(0.0f);
    for (size_t j = seen_by(call, b->row + (size_t)(first + i)); j < whole; ++j)
      s[(size_t)i * b->ld + j] = -INFINITY;
  }
  for (size_t j = 0; j < whole; j += HY_VL)
    HY_UNROLL for (int i = 0; i < rows; ++i) most[i] =
        v_max(v_load(s + (size_t)i * b->ld + j), most[i]);
  HY_UNROLL for (int i = 0; i < rows; ++i) shift[i] = v_set(v_most(most[i]));
  for (size_t j = 0; j < whole; j += HY_VL) HY_UNROLL for (int i = 0; i < rows; ++i) {
      const vf e = m_exp(v_sub(v_load(s + (size_t)i * b->ld + j), shift[i]));
      v_store(s + (size_t)i * b->ld + j, e);
      sum[i] = v_add(sum[i], e);
    }
  HY_UNROLL for (int i = 0; i < rows; ++i) inverse[first + i] = 1.0f / v_sum(sum[i]);
}

/* out = inverse * scores v, over `width` vectors of columns from col; n_last in the last. */
HY_INLINE void sum_columns(const hy__attention_call *call, const block *b, const float *inverse,
                           const int shape[2], size_t col, size_t n_last) {
  const int rows = shape[0], width = shape[1];
  vf acc[2 * HY_ROWS];
  HY_UNROLL for (int i = 0; i < rows * width; ++i) acc[i] = v_set(0.0f);
  for (size_t j = 0; j < b->keys; ++j) {
    const float *v = call->v + j * call->v_ld + col;
    vf x[2];
    HY_UNROLL for (int c = 0; c < width; ++c) x[c] =
        c == width - 1 && n_last != HY_VL ? v_load_n(v + c * HY_VL, n_last) : v_load(v + c * HY_VL);
    HY_UNROLL for (int i = 0; i < rows; ++i) {
      const vf p = v_set(b->scores[(size_t)i * b->ld + j]);
      HY_UNROLL for (int c = 0; c < width; ++c) acc[i * width + c] =
          v_fma(p, x[c], acc[i * width + c]);
    }
  }
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    const vf by = v_set(inverse[i]);
    HY_UNROLL for (int c = 0; c < width; ++c) {
      float *to = call->out + (b->row + (size_t)i) * call->out_ld + col + (size_t)c * HY_VL;
      v_store_n(to, v_mul(acc[i * width + c], by), c == width - 1 ? n_last : HY_VL);
    }
  }
}

HY_INLINE void run_block(const hy__attention_call *call, block *b, const int rows) {
  float inverse[HY_ROWS];
  b->keys = seen_by(call, b->row + (size_t)rows - 1);
  score(call, b, rows);
  const int together = rows < EXP_ROWS ? rows : EXP_ROWS;
  for (int i = 0; i < rows; i += together) exponentials(call, b, i, together, inverse);
  size_t col = 0;
  for (; col + PANEL <= call->v_depth; col += PANEL)
    sum_columns(call, b, inverse, (const int[2]){rows, 2}, col, HY_VL);
  for (; col + HY_VL <= call->v_depth; col += HY_VL)
    sum_columns(call, b, inverse, (const int[2]){rows, 1}, col, HY_VL);
  if (col < call->v_depth)
    sum_columns(call, b, inverse, (const int[2]){rows, 1}, col, call->v_depth - col);
  b->row += (size_t)rows;
}

static void run_rows(const hy__attention_call *call, block *b) { run_block(call, b, HY_ROWS); }
static void run_one(const hy__attention_call *call, block *b) { run_block(call, b, 1); }

static void run(const hy__attention_call *call) {
  const size_t ld = (call->keys + PANEL - 1) / PANEL * PANEL;
  block b = {.panels = call->scratch, .scores = call->scratch + ld * call->depth, .ld = ld};
  unsigned saved = control_flush();
  turn_keys(call, call->scratch);
  while (b.row + HY_ROWS <= call->rows) run_rows(call, &b);
  while (b.row < call->rows) run_one(call, &b);
  control_restore(saved);
}

extern const hy__attention_f32 HY_KERNEL;
const hy__attention_f32 HY_KERNEL = {.tile = HY_TILE, .run = run};
