/* SPDX-License-Identifier: Apache-2.0
 * Packing of bytes into column panels, at load. */
#include "kernel/integer/integer.h"

#include <string.h>

static size_t groups_of(const hy__integer *kernel, const hy__integer_source *s) {
  return (s->each + kernel->group - 1) / kernel->group;
}

/* Columns in memory: whole panels, and a last one that may be one vector wide. */
static size_t columns_padded(const hy__integer *kernel, size_t n) {
  const size_t whole = n / kernel->panel * kernel->panel, rest = n - whole;
  if (!rest) return whole;
  return whole + (rest <= kernel->lanes ? kernel->lanes : kernel->panel);
}

static size_t sums_bytes(const hy__integer *kernel, const hy__integer_source *s) {
  const size_t columns = columns_padded(kernel, s->n + s->ones);
  return (columns * sizeof(int32_t) + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN;
}

bool hy__integer_packed_bytes(const hy__integer *kernel, const hy__integer_source *s, size_t *out) {
  size_t n;
  if (s->n > SIZE_MAX / 64 || s->each > SIZE_MAX / 64) return false;
  return hy__mul(columns_padded(kernel, s->n + s->ones), 4 * groups_of(kernel, s), &n) &&
         hy__mul(n, s->n_taps, &n) && hy__add(n, sums_bytes(kernel, s) + HY_ALIGN, &n) &&
         hy__round_up(n, HY_ALIGN, out);
}

uint32_t hy__integer_layout(const hy__integer *kernel, const hy__integer_source *source) {
  hy__integer_source key = *source;
  uint64_t hash = kernel->panel * 8 + kernel->group;
  const uint64_t words[] = {(uint64_t)key.tap_stride,
                            (uint64_t)key.k_stride,
                            (uint64_t)key.n_stride,
                            key.n_taps,
                            key.each,
                            key.n,
                            (uint64_t)key.outer_stride,
                            key.inner,
                            key.flip,
                            key.ones};
  hash = hy__hash64(words, sizeof words, hash);
  return (uint32_t)(hash ^ (hash >> 32));
}

/* The elements of a tap in one column: every 4 * width bytes a group. Returns their sum. */
static int32_t pack_column(const hy__integer *kernel, const uint8_t *from,
                           const hy__integer_source *s, int8_t *to, size_t width) {
  const size_t inner = s->inner ? s->inner : HY_MAX(s->each, (size_t)1);
  int32_t sum = 0;
  for (size_t p = 0; p < s->each; p++) {
    const ptrdiff_t offset =
        (ptrdiff_t)(p / inner) * s->outer_stride + (ptrdiff_t)(p % inner) * s->k_stride;
    const int8_t v = (int8_t)(from ? from[offset] ^ s->flip : 1);
    int8_t *at = to + p / kernel->group * 4 * width;
    if (kernel->element == 1)
      at[p % kernel->group] = v;
    else
      memcpy(at + p % kernel->group * sizeof(int16_t), &(int16_t){v}, sizeof(int16_t));
    sum += v;
  }
  return sum;
}

void hy__integer_pack(const hy__integer *kernel, const hy__integer_source *s, void *packed) {
  const size_t n = s->n + s->ones, groups = groups_of(kernel, s);
  const size_t padded = columns_padded(kernel, n);
  size_t bytes;
  if (!hy__integer_packed_bytes(kernel, s, &bytes)) return;
  memset(packed, 0, bytes);
  uint32_t *sums = packed;
  int8_t *panels = (int8_t *)packed + sums_bytes(kernel, s);
  for (size_t j = 0; j < n; j++) {
    const size_t first = j / kernel->panel * kernel->panel;
    const size_t width = HY_MIN((size_t)kernel->panel, padded - first);
    int8_t *panel = panels + first * s->n_taps * groups * 4;
    for (size_t t = 0; t < s->n_taps; t++) {
      const uint8_t *from = s->b + (ptrdiff_t)t * s->tap_stride + (ptrdiff_t)j * s->n_stride;
      sums[j] += (uint32_t)pack_column(kernel, j < s->n ? from : NULL, s,
                                       panel + (t * groups * width + j - first) * 4, width);
    }
  }
}
