/* SPDX-License-Identifier: Apache-2.0
 * Packing of convolution weights into column panels, when a plan is made: the same for every level
 * but for the panel's width. */
#include "kernel/conv/conv.h"

/* Columns in memory: whole panels, and a last one that may be one vector wide. */
static size_t columns_padded(const hy__conv_f32 *conv, size_t n) {
  const size_t whole = n / conv->panel * conv->panel, rest = n - whole;
  if (!rest) return whole;
  return whole + (rest <= conv->lanes ? conv->lanes : conv->panel);
}

bool hy__conv_f32_packed_n(const hy__conv_f32 *conv, size_t k, size_t n, size_t *out) {
  size_t bytes;
  if (n > SIZE_MAX - conv->panel) return false;
  return hy__mul(columns_padded(conv, n), k, out) && hy__mul(*out, sizeof(float), &bytes);
}

void hy__conv_f32_pack(const hy__conv_f32 *conv, const hy__conv_source *s, float *packed) {
  const size_t padded = columns_padded(conv, s->n), k = s->each * s->n_taps;
  for (size_t column = 0; column < padded; column += conv->panel) {
    const size_t width = HY_MIN((size_t)conv->panel, padded - column);
    float *to = packed + column * k;
    for (size_t t = 0; t < s->n_taps; ++t)
      for (size_t p = 0; p < s->each; ++p, to += width)
        for (size_t j = 0; j < width; ++j) {
          const size_t from = ((column + j) * s->each + p) * s->n_taps + t;
          to[j] = column + j < s->n ? s->w[from] : 0.0f;
        }
  }
}
