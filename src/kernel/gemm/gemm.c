/* SPDX-License-Identifier: Apache-2.0
 * Packing of the right-hand side into column panels, at load: the same for every level but for the
 * panel's width. */
#include "kernel/gemm/gemm.h"

#include <string.h>

uint32_t hy__gemm_f32_layout(const hy__gemm_f32 *gemm, const hy__gemm_source *source) {
  hy__gemm_source key;
  memset(&key, 0, sizeof key);
  key.k_stride = source->k_stride;
  key.n_stride = source->n_stride;
  key.k = source->k;
  key.n = source->n;
  key.alpha = source->alpha;
  uint64_t hash = hy__hash64(&key, sizeof key, gemm->panel);
  if (source->columns)
    hash = hy__hash64(source->columns, source->n * sizeof *source->columns, hash);
  return (uint32_t)(hash ^ (hash >> 32));
}

/* Columns in memory: whole panels, and a last one that may be one vector wide. */
static size_t columns_padded(const hy__gemm_f32 *gemm, size_t n) {
  size_t whole = n / gemm->panel * gemm->panel, rest = n - whole;
  if (!rest) return whole;
  return whole + (rest <= gemm->lanes ? gemm->lanes : gemm->panel);
}

bool hy__gemm_f32_pairs_n(const hy__gemm_f32 *gemm, size_t k, size_t n, size_t *out) {
  size_t bytes;
  if (n > SIZE_MAX - gemm->panel || k == SIZE_MAX) return false;
  return hy__mul(columns_padded(gemm, n), (k + 1) / 2, out) &&
         hy__mul(*out, sizeof(uint32_t), &bytes);
}

/* Elements of a narrow product's column. */
static size_t narrow_padded(const hy__gemm_f32 *gemm, size_t k) {
  return (k + gemm->lanes - 1) / gemm->lanes * gemm->lanes;
}

bool hy__gemm_f32_packed_n(const hy__gemm_f32 *gemm, size_t k, size_t n, size_t *out) {
  size_t bytes;
  if (n > SIZE_MAX - gemm->panel || k > SIZE_MAX - gemm->lanes) return false;
  if (n <= HY__GEMM_NARROW)
    return hy__mul(narrow_padded(gemm, k), n, out) && hy__mul(*out, sizeof(float), &bytes);
  return hy__mul(columns_padded(gemm, n), k, out) && hy__mul(*out, sizeof(float), &bytes);
}

enum { STRETCH = 128 }; /* of a column at a time, so that the panel's lines stay in the cache */

typedef float vector __attribute__((vector_size(16)));
typedef float loose_vector __attribute__((vector_size(16), aligned(1), may_alias));

void hy__gemm_f32_interleave(const hy__loose_f32 *const from[4], size_t n, float alpha, float *to,
                             size_t width) {
  size_t p = 0;
  for (; p + 4 <= n; p += 4, to += 4 * width) {
    const vector a = *(const loose_vector *)(from[0] + p), b = *(const loose_vector *)(from[1] + p);
    const vector c = *(const loose_vector *)(from[2] + p), d = *(const loose_vector *)(from[3] + p);
    const vector ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    const vector cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    const vector ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const vector cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(loose_vector *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5) * alpha;
    *(loose_vector *)(to + width) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7) * alpha;
    *(loose_vector *)(to + 2 * width) = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5) * alpha;
    *(loose_vector *)(to + 3 * width) = __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7) * alpha;
  }
  for (; p < n; ++p, to += width)
    for (size_t c = 0; c < 4; ++c) to[c] = from[c][p] * alpha;
}

/* Where a column begins; NULL: zeros. */
static const hy__loose_f32 *column_of(const hy__gemm_source *s, size_t column) {
  if (column >= s->n || (s->columns && s->columns[column] < 0)) return NULL;
  return s->b + (s->columns ? s->columns[column] : (ptrdiff_t)column * s->n_stride);
}

/* Rows [k[0], k[1]) of a column to every width-th float. */
static void pack_stretch(const hy__gemm_source *s, size_t column, const size_t k[2], float *to,
                         size_t width) {
  const hy__loose_f32 *from = column_of(s, column);
  const float alpha = s->alpha;
  if (!from)
    for (size_t p = k[0]; p < k[1]; ++p) to[p * width] = 0.0f;
  else
    for (size_t p = k[0]; p < k[1]; ++p) to[p * width] = from[(ptrdiff_t)p * s->k_stride] * alpha;
}

/* The same of four columns, which mostly stand along k. */
static void pack_four(const hy__gemm_source *s, size_t column, const size_t k[2], float *to,
                      size_t width) {
  const hy__loose_f32 *from[4];
  bool along = s->k_stride == 1;
  for (size_t c = 0; c < 4; ++c) {
    from[c] = column_of(s, column + c);
    along = along && from[c];
    if (along) from[c] += k[0];
  }
  if (along)
    hy__gemm_f32_interleave(from, k[1] - k[0], s->alpha, to + k[0] * width, width);
  else
    for (size_t c = 0; c < 4; ++c) pack_stretch(s, column + c, k, to + c, width);
}

/* A panel whose columns stand side by side. */
static void pack_rows(const hy__gemm_source *s, size_t column, float *to, size_t width) {
  const float alpha = s->alpha;
  for (size_t k = 0; k < s->k; ++k, to += width) {
    const hy__loose_f32 *from = s->b + (ptrdiff_t)k * s->k_stride + column;
    for (size_t j = 0; j < width; ++j) to[j] = from[j] * alpha;
  }
}

static void pack_narrow(const hy__gemm_f32 *gemm, const hy__gemm_source *s, float *packed) {
  const size_t padded = narrow_padded(gemm, s->k);
  for (size_t j = 0; j < s->n; ++j) {
    pack_stretch(s, j, (const size_t[2]){0, s->k}, packed + j * padded, 1);
    for (size_t k = s->k; k < padded; ++k) packed[j * padded + k] = 0.0f;
  }
}

void hy__gemm_f32_pack(const hy__gemm_f32 *gemm, const hy__gemm_source *source, float *packed) {
  if (source->n <= HY__GEMM_NARROW) {
    pack_narrow(gemm, source, packed);
    return;
  }
  size_t padded = columns_padded(gemm, source->n);
  for (size_t column = 0; column < padded; column += gemm->panel) {
    size_t width = HY_MIN(gemm->panel, padded - column);
    float *panel = packed + column * source->k;
    if (!source->columns && source->n_stride == 1 && column + width <= source->n)
      pack_rows(source, column, panel, width);
    else
      for (size_t k = 0; k < source->k; k += STRETCH)
        for (size_t j = 0; j < width; j += 4) /* a vector has at least four lanes */
          pack_four(source, column + j, (size_t[2]){k, HY_MIN(source->k, k + STRETCH)}, panel + j,
                    width);
  }
}

static uint32_t pair_of(const hy__gemm_source *s, const hy__loose_f32 *column, size_t k) {
  uint32_t pair = 0;
  if (!column) return 0;
  for (size_t i = 0; i < 2 && k + i < s->k; ++i) {
    const float x = column[(ptrdiff_t)(k + i) * s->k_stride] * s->alpha;
    pair |= (uint32_t)hy__float_to_bf16(x) << 16 * i;
  }
  return pair;
}

void hy__gemm_f32_pack_pairs(const hy__gemm_f32 *gemm, const hy__gemm_source *source,
                             uint32_t *packed) {
  const size_t padded = columns_padded(gemm, source->n), n_pairs = (source->k + 1) / 2;
  for (size_t column = 0; column < padded; column += gemm->panel) {
    const size_t width = HY_MIN(gemm->panel, padded - column);
    uint32_t *to = packed + column * n_pairs;
    for (size_t j = 0; j < width; ++j) {
      const hy__loose_f32 *from = column_of(source, column + j);
      for (size_t k = 0; k < n_pairs; ++k) to[k * width + j] = pair_of(source, from, 2 * k);
    }
  }
}
