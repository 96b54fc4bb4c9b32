/* SPDX-License-Identifier: Apache-2.0
 * Rows against vectors of their length. Products and squared distances of one row with many, as
 * support vector machines want them: each is a chain of its own over the features in rising order.
 * Linear forms of few vectors, in double, and features scaled one by one. Nothing is fused and the
 * order is the same at every level, and so are the bits. */
#ifndef HY_KERNEL_VECTORS_VECTORS_H
#define HY_KERNEL_VECTORS_VECTORS_H

#include "base/base.h"

enum { HY__VECTORS_BLOCK = 64 }; /* vectors side by side in the packed form */

/* packed: block after block, each [features][HY__VECTORS_BLOCK]. out: one float a vector, blocks
 * being whole. */
typedef void (*hy__vectors_fn)(const float *x, size_t features, const float *packed,
                               size_t n_blocks, float *out);

enum { HY__FORM_LANES = 8 }; /* partial sums of a linear form */

/* rows x forms: out[r * out_ld + f] = start[f] + x[r] . c[f]; the sum over HY__FORM_LANES lanes,
 * then the features that are left, then the lanes in order. */
typedef struct hy__forms_call {
  const float *x, *c, *start; /* [rows][features], [forms][features], [forms] or NULL */
  size_t rows, features, forms, out_ld;
  double *out;
} hy__forms_call;

/* y[r][j] = (x[r][j] - offset[j]) * factor[j]; y may be x. */
typedef struct hy__scale_call {
  const float *x, *offset, *factor; /* offset, factor: [features] */
  size_t rows, features;
  float *y;
} hy__scale_call;

typedef struct hy__vectors_f32 {
  hy__vectors_fn product, distance;
  void (*forms)(const hy__forms_call *call);
  void (*scale)(const hy__scale_call *call);
} hy__vectors_f32;

/* From vectors [n][features]; what fills the last block is zeros. `packed` holds n_blocks *
 * features * HY__VECTORS_BLOCK floats. */
void hy__vectors_pack(const float *vectors, size_t n, size_t features, float *packed);

#endif
