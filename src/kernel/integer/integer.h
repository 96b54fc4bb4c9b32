/* SPDX-License-Identifier: Apache-2.0
 * Products of 8-bit integers, and the way from floats to bytes and back. The left-hand side is of
 * 0..255, the right-hand side of -128..127 (what is of the other kind is flipped by its upper bit),
 * sums have 32 bits and wrap: all is exact, so that every level gives the same bits. */
#ifndef HY_KERNEL_INTEGER_INTEGER_H
#define HY_KERNEL_INTEGER_INTEGER_H

#include "base/base.h"

/* c[i, j] = init[j] + sum over t < n_taps, p < each of
 *           left[i * step + taps[t] + p] * b[t * each + p, j].
 * Elements of the left-hand side have `element` bytes; a tap's elements are read in whole groups,
 * so that group - 1 elements behind the last must be readable (their factors are zeros). A plain
 * product has one tap at 0. */
typedef struct hy__integer_product {
  const void *left;
  size_t step; /* elements between rows */
  const size_t *taps;
  size_t n_taps, each;
  const void *packed;
  const int32_t *init;
  int32_t *c;
  size_t ldc;
  size_t m, n;
} hy__integer_product;

/* What becomes of sums: y = sum * factor[j], a float; or rounded to even, plus `zero`, within
 * `least` and least + 255, a byte. factor_step 0: factor[0] for all. */
typedef struct hy__integer_end {
  const float *factor;
  size_t factor_step;
  const float *bias; /* to floats alone, added after the product; NULL: none */
  int32_t zero, least;
} hy__integer_end;

/* A matrix of bytes or of words, rows `ld` elements apart, to its transpose. */
typedef struct hy__integer_turn {
  size_t rows, columns, ld, to_ld;
} hy__integer_turn;

typedef struct hy__integer {
  uint32_t lanes, panel;   /* columns of a vector, and of a panel, which is two vectors */
  uint32_t element, group; /* bytes of a left element; elements that go into a lane together */
  const char *tile;
  void (*run)(const hy__integer_product *call);
  /* n bytes, each ^ flip, as left elements. */
  void (*left)(const uint8_t *from, size_t n, uint8_t flip, void *to);
  void (*turn_bytes)(const hy__integer_turn *turn, const uint8_t *from, uint8_t *to);
  void (*turn_words)(const hy__integer_turn *turn, const uint32_t *from, uint32_t *to);
  /* sums -= by * columns[j], columns NULL: ones; what wraps, wraps. */
  void (*subtract)(int32_t *sums, size_t n, const int32_t *columns, int32_t by);
  /* The least and the largest of x and 0; NaN counts for nothing. */
  void (*extremes)(const float *x, size_t n, float range[2]);
  /* x / scale rounded to even, plus the zero point, within end->least and 255 above it; NaN gives
   * the least. end->factor is the scale. */
  void (*quantise)(const float *x, size_t n, const hy__integer_end *end, uint8_t *y);
  /* (x - zero) * factor of bytes, signed where least is negative. */
  void (*dequantise)(const uint8_t *x, size_t n, const hy__integer_end *end, float *y);
  void (*to_bytes)(const int32_t *sums, size_t n, const hy__integer_end *end, uint8_t *y);
  void (*to_floats)(const int32_t *sums, size_t n, const hy__integer_end *end, float *y);
} hy__integer;

/* What to pack: row t * each + p, column j of b is the byte at b[t * tap_stride + p / inner *
 * outer_stride + p % inner * k_stride + j * n_stride], ^ flip; inner 0: as many as there are. */
typedef struct hy__integer_source {
  const uint8_t *b;
  ptrdiff_t tap_stride, outer_stride, k_stride, n_stride;
  size_t n_taps, each, inner, n;
  uint8_t flip;
  bool ones; /* one column more, of ones: its sums are those of the left rows */
} hy__integer_source;

/* The packed form: a sum per column (hy__integer_sums), then panel after panel as of gemm.h. Bytes
 * it takes; false on overflow. */
bool hy__integer_packed_bytes(const hy__integer *kernel, const hy__integer_source *source,
                              size_t *out);
void hy__integer_pack(const hy__integer *kernel, const hy__integer_source *source, void *packed);
static inline const int32_t *hy__integer_sums(const void *packed) { return packed; }
/* Names the packed form for hy__pack_get. */
uint32_t hy__integer_layout(const hy__integer *kernel, const hy__integer_source *source);

#endif
