/* SPDX-License-Identifier: Apache-2.0
 * Packing of recurrent matrices: gates of a block of units side by side, units past the last as
 * zeros. */
#include "kernel/recurrent/recurrent.h"

#include "kernel/gemm/gemm.h"

enum { STRETCH = 128 }; /* of a unit's row at a time */

/* Inputs [k, k + n) of the four units from `unit` on, to every width-th float. */
static void pack_four(const hy__loose_f32 *source, size_t hidden, const size_t unit_k_n[3],
                      float *to, size_t width) {
  const size_t unit = unit_k_n[0], k = unit_k_n[1], n = unit_k_n[2];
  if (unit + 4 <= hidden) {
    const hy__loose_f32 *const from = source + unit * hidden + k;
    const hy__loose_f32 *const four[4] = {from, from + hidden, from + 2 * hidden,
                                          from + 3 * hidden};
    hy__gemm_f32_interleave(four, n, 1.0f, to, width);
    return;
  }
  for (size_t p = 0; p < n; ++p)
    for (size_t lane = 0; lane < 4; ++lane)
      to[p * width + lane] = unit + lane < hidden ? source[(unit + lane) * hidden + k + p] : 0.0f;
}

void hy__recurrent_pack(uint32_t lanes, size_t hidden, const hy__loose_f32 *const *source,
                        size_t gates, float *out) {
  const size_t width = gates * lanes;
  for (size_t first = 0; first < hidden; first += lanes, out += hidden * width)
    for (size_t k = 0; k < hidden; k += STRETCH)
      for (size_t g = 0; g < gates; ++g)
        for (size_t lane = 0; lane < lanes; lane += 4) /* a vector has at least four */
          pack_four(source[g], hidden,
                    (const size_t[3]){first + lane, k, HY_MIN(hidden - k, (size_t)STRETCH)},
                    out + k * width + g * lanes + lane, width);
}

static uint32_t pair_of(const hy__loose_f32 *row, size_t hidden, size_t k) {
  const uint32_t low = hy__float_to_bf16(row[k]);
  return k + 1 < hidden ? low | (uint32_t)hy__float_to_bf16(row[k + 1]) << 16 : low;
}

void hy__recurrent_pack_pairs(uint32_t lanes, size_t hidden, const hy__loose_f32 *const *source,
                              size_t gates, uint32_t *out) {
  for (size_t first = 0; first < hidden; first += lanes)
    for (size_t k = 0; k < hidden; k += 2)
      for (size_t g = 0; g < gates; ++g)
        for (size_t unit = first; unit < first + lanes; ++unit)
          *out++ = unit < hidden ? pair_of(source[g] + unit * hidden, hidden, k) : 0;
}
