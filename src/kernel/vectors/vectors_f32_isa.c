/* SPDX-License-Identifier: Apache-2.0
 * One row against blocks of vectors, compiled once per level: a block's sums stay in registers, the
 * features pass by. */
#include "kernel/kernel_isa.h"
#include "kernel/simd/control.h"
#include "kernel/vectors/vectors.h"

#define BLOCK HY__VECTORS_BLOCK

#define BLOCKS(name, term)                                                                         \
  static void name(const float *x, size_t features, const float *packed, size_t n_blocks,          \
                   float *out) {                                                                   \
    unsigned saved = control_flush();                                                              \
    for (size_t b = 0; b < n_blocks; ++b) {                                                        \
      float sum[BLOCK] = {0};                                                                      \
      for (size_t k = 0; k < features; ++k, packed += BLOCK) {                                     \
        const float a = x[k];                                                                      \
        for (size_t j = 0; j < BLOCK; ++j) sum[j] += (term);                                       \
      }                                                                                            \
      for (size_t j = 0; j < BLOCK; ++j) out[b * BLOCK + j] = sum[j];                              \
    }                                                                                              \
    control_restore(saved);                                                                        \
  }
BLOCKS(product, a *packed[j])
BLOCKS(distance, (a - packed[j]) * (a - packed[j]))

extern const hy__vectors_f32 HY_ISA_NAME(hy__vectors_f32);
const hy__vectors_f32 HY_ISA_NAME(hy__vectors_f32) = {.product = product, .distance = distance};
