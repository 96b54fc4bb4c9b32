/* SPDX-License-Identifier: Apache-2.0
 * One row against many vectors of its length: products and squared distances, as support vector
 * machines want them. Each is a chain of its own over the features in rising order, nothing fused,
 * so the bits are the same at every level. */
#ifndef HY_KERNEL_VECTORS_VECTORS_H
#define HY_KERNEL_VECTORS_VECTORS_H

#include "base/base.h"

enum { HY__VECTORS_BLOCK = 64 }; /* vectors side by side in the packed form */

/* packed: block after block, each [features][HY__VECTORS_BLOCK]. out: one float a vector, blocks
 * being whole. */
typedef void (*hy__vectors_fn)(const float *x, size_t features, const float *packed,
                               size_t n_blocks, float *out);

typedef struct hy__vectors_f32 {
  hy__vectors_fn product, distance;
} hy__vectors_f32;

/* From vectors [n][features]; what fills the last block is zeros. `packed` holds n_blocks *
 * features * HY__VECTORS_BLOCK floats. */
void hy__vectors_pack(const float *vectors, size_t n, size_t features, float *packed);

#endif
