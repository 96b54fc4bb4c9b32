/* SPDX-License-Identifier: Apache-2.0
 * Matrix products. The right-hand side is packed once into column panels; the left-hand side is
 * read in place. */
#ifndef HY_KERNEL_GEMM_GEMM_H
#define HY_KERNEL_GEMM_GEMM_H

#include "base/base.h"

typedef enum hy__act { HY__ACT_NONE, HY__ACT_RELU, HY__ACT_SIGMOID, HY__ACT_TANH } hy__act;

/* c[m,n] = act(init + a[m,k] * b[k,n]). Row i of init is init + i * init_ld: with init_ld 0 a bias
 * row, NULL for zeros; init may be c itself. Every element is one chain of multiply-adds over k in
 * rising order; where b has so few columns that they would fill no vector (hy__gemm_f32_narrow), it
 * is 4 x lanes chains, which a tree of fixed shape adds up, and init last. */
typedef struct hy__gemm_f32_call {
  const float *a;
  size_t lda;
  const float *packed;
  const float *init;
  size_t init_ld;
  float *c;
  size_t ldc;
  size_t m, n, k;
  hy__act act;
  bool turned; /* panels from the last to the first: the same bits */
  bool pairs;  /* packed holds pairs of bfloat16 (hy__gemm_f32_pack_pairs); m must be 1 */
} hy__gemm_f32_call;

typedef struct hy__gemm_f32 {
  uint32_t lanes, panel; /* columns of a vector and of a panel, which is two vectors */
  const char *tile;      /* rows x columns held in registers */
  void (*run)(const hy__gemm_f32_call *call);
} hy__gemm_f32;

/* What to pack: b[k,n] at element strides, times alpha. With `columns` (n entries) column j is at
 * b + columns[j] instead of b + j * n_stride, and a negative entry is a column of zeros. b may lie
 * anywhere: weights are packed from where they are in a file. */
typedef struct hy__gemm_source {
  const hy__loose_f32 *b;
  ptrdiff_t k_stride, n_stride;
  const ptrdiff_t *columns;
  size_t k, n;
  float alpha;
} hy__gemm_source;

enum { HY__GEMM_NARROW = 4 }; /* columns up to which a product is narrow */

/* The packed form: panel after panel, each k rows of its width (the last panel is one vector wide
 * where that is enough), padded with zeros; of a narrow one each column, padded to whole vectors.
 * Floats it takes; false on overflow. A call may take a part of the columns of a wide one: from a
 * panel on (packed + first * k), and more than HY__GEMM_NARROW of them. */
bool hy__gemm_f32_packed_n(const hy__gemm_f32 *gemm, size_t k, size_t n, size_t *out);
void hy__gemm_f32_pack(const hy__gemm_f32 *gemm, const hy__gemm_source *source, float *packed);
/* Columns from[c][0, n), times alpha, to every width-th float from to[c] on: 4 at a time. */
void hy__gemm_f32_interleave(const hy__loose_f32 *const from[4], size_t n, float alpha, float *to,
                             size_t width);
/* One row is bound by the bytes of b: the same panels in pairs of bfloat16, rounded to nearest
 * even, of row k in the lower half and k + 1 in the upper; (k + 1) / 2 rows of pairs. Not for
 * narrow products. The result is that of the floats that the pairs stand for. */
bool hy__gemm_f32_pairs_n(const hy__gemm_f32 *gemm, size_t k, size_t n, size_t *out);
void hy__gemm_f32_pack_pairs(const hy__gemm_f32 *gemm, const hy__gemm_source *source,
                             uint32_t *packed);
/* Names the packed form of this source for hy__pack_get; kernels with equal panels share it. */
uint32_t hy__gemm_f32_layout(const hy__gemm_f32 *gemm, const hy__gemm_source *source);

/* c[m,n] = init + a[m,k] * b[k,n] in doubles; b in rows of distance ldb; init as above. */
typedef struct hy__gemm_f64_call {
  const double *a;
  size_t lda;
  const double *b;
  size_t ldb;
  const double *init;
  size_t init_ld;
  double *c;
  size_t ldc;
  size_t m, n, k;
} hy__gemm_f64_call;

typedef struct hy__gemm_f64 {
  void (*run)(const hy__gemm_f64_call *call);
} hy__gemm_f64;

#endif
