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

static double form(const float *x, const float *c, size_t features, double start) {
  double lane[HY__FORM_LANES] = {0};
  size_t j = 0;
  for (; j + HY__FORM_LANES <= features; j += HY__FORM_LANES)
    for (size_t k = 0; k < HY__FORM_LANES; ++k) lane[k] += (double)x[j + k] * (double)c[j + k];
  for (; j < features; ++j) start += (double)x[j] * (double)c[j];
  for (size_t k = 0; k < HY__FORM_LANES; ++k) start += lane[k];
  return start;
}

static void forms(const hy__forms_call *call) {
  for (size_t r = 0; r < call->rows; ++r)
    for (size_t f = 0; f < call->forms; ++f)
      call->out[r * call->out_ld + f] =
          form(call->x + r * call->features, call->c + f * call->features, call->features,
               call->start ? (double)call->start[f] : 0.0);
}

static void scale(const hy__scale_call *call) {
  for (size_t r = 0; r < call->rows; ++r) {
    const float *x = call->x + r * call->features;
    float *y = call->y + r * call->features;
    for (size_t j = 0; j < call->features; ++j) y[j] = (x[j] - call->offset[j]) * call->factor[j];
  }
}

extern const hy__vectors_f32 HY_ISA_NAME(hy__vectors_f32);
const hy__vectors_f32 HY_ISA_NAME(hy__vectors_f32) = {
    .product = product, .distance = distance, .forms = forms, .scale = scale};
