/* SPDX-License-Identifier: Apache-2.0
 * Packing for vectors.h, once when a session plans. */
#include "kernel/vectors/vectors.h"

#include <string.h>

void hy__vectors_pack(const float *vectors, size_t n, size_t features, float *packed) {
  const size_t n_blocks = (n + HY__VECTORS_BLOCK - 1) / HY__VECTORS_BLOCK;
  memset(packed, 0, n_blocks * features * HY__VECTORS_BLOCK * sizeof *packed);
  for (size_t i = 0; i < n; ++i) {
    float *block = packed + i / HY__VECTORS_BLOCK * features * HY__VECTORS_BLOCK;
    for (size_t k = 0; k < features; ++k)
      block[k * HY__VECTORS_BLOCK + i % HY__VECTORS_BLOCK] = vectors[i * features + k];
  }
}
