/* SPDX-License-Identifier: Apache-2.0
 * Convolutions of channels-last data without a matrix of patches: one output row is the sum over
 * the kernel's taps of an input row times that tap's weights, read where it lies. */
#ifndef HY_KERNEL_CONV_CONV_H
#define HY_KERNEL_CONV_CONV_H

#include "base/base.h"
#include "kernel/gemm/gemm.h"

/* c[i, :] = after(act(bias + sum over t < n_taps, p < each of
 *           a[i * lda + taps[t] + p] * b[t * each + p, :]) + add[i, :]), for m rows of n columns.
 * Every element is one chain of multiply-adds in the order of b's rows. b is packed in column
 * panels of k rows (hy__conv_f32_pack), of which rows [first, first + n_taps * each) are used. */
typedef struct hy__conv_f32_call {
  const float *a;
  size_t lda;
  const ptrdiff_t *taps;
  size_t n_taps, each;
  const float *packed;
  size_t k, first;
  const float *bias; /* NULL: zeros */
  const float *add;  /* NULL: none */
  size_t add_ld;
  float *c;
  size_t ldc;
  size_t m, n;
  hy__act act, after;
} hy__conv_f32_call;

/* One channel in, one out: c[i, j] = act(bias[j] + sum over taps of a[i * lda + taps[t] + j] *
 * weights[t * n + j]). */
typedef struct hy__conv_depth_call {
  const float *a;
  size_t lda;
  const ptrdiff_t *taps;
  size_t n_taps;
  const float *weights, *bias;
  float *c;
  size_t ldc;
  size_t m, n;
  hy__act act;
} hy__conv_depth_call;

/* y[i * n + j] = the largest, or the sum times `scale`, of x[i * x_ld + taps[t] + j] over the taps,
 * for m windows of n channels. */
typedef struct hy__pool_call {
  const float *x;
  size_t x_ld;
  const ptrdiff_t *taps;
  size_t n_taps;
  float *y;
  size_t m, n;
  float scale;
} hy__pool_call;

typedef struct hy__conv_f32 {
  uint32_t lanes, panel; /* columns of a vector and of a panel, which is two vectors */
  const char *tile;
  void (*run)(const hy__conv_f32_call *call);
  void (*depth)(const hy__conv_depth_call *call);
  void (*pool_max)(const hy__pool_call *call);
  void (*pool_sum)(const hy__pool_call *call);
} hy__conv_f32;

/* b[k, n] of the packed form comes from weights of [n][each][taps], as ONNX has them: row
 * t * each + p, column j is w[(j * each + p) * n_taps + t]. Floats it takes; false on overflow. */
bool hy__conv_f32_packed_n(const hy__conv_f32 *conv, size_t k, size_t n, size_t *out);
typedef struct hy__conv_source {
  const float *w;
  size_t n, each, n_taps;
} hy__conv_source;
void hy__conv_f32_pack(const hy__conv_f32 *conv, const hy__conv_source *source, float *packed);

#endif
