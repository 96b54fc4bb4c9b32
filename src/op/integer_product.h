/* SPDX-License-Identifier: Apache-2.0
 * What the products of 8-bit integers share: sums of (a - zero of a) * (b - zero of b) by the
 * kernel of bytes, B packed when it is known, and their way back to bytes or to floats, in blocks
 * of rows that stay in the cache and that the workers divide. */
#ifndef HY_OP_INTEGER_PRODUCT_H
#define HY_OP_INTEGER_PRODUCT_H

#include "op/narrow.h"

static inline bool hy__integer_is_byte(hy_dtype d) { return d == HY_I8 || d == HY_U8; }
/* The integer at i of an 8-bit tensor; 0 if it is absent (a zero point that is left out). */
static inline int32_t hy__integer_at(const hy_tensor *t, size_t i) {
  if (!t || !t->data) return 0;
  return t->dtype == HY_I8 ? ((const int8_t *)t->data)[i] : ((const uint8_t *)t->data)[i];
}
/* Input k of a step if it has data. */
static inline const hy_tensor *hy__integer_input(const hy__step *step, size_t k) {
  return k < step->n_in && step->in[k].data ? &step->in[k] : NULL;
}

/* Checks an optional input `k` of zero points or scales: one, or `n` of them in one dim. */
HY_CHECKED hy_status hy__integer_list(const hy__op_plan *p, size_t k, int64_t n, const char *name,
                                      hy_error *err);

/* Scales of a, b and y (NULL: 1): what a sum is multiplied by, a * b / y in float32, or rounded at
 * each operation to the scales' half type. */
typedef struct hy__requantise {
  const hy_tensor *a, *b, *y;
  float alpha; /* a's scale is times this */
} hy__requantise;
/* One for each b. */
void hy__requantise_factors(const hy__requantise *r, size_t a, float *to);
/* The least of a byte kind and y's zero point; factor, factor_step and bias are the caller's. */
/* Of u8 over the extremes of n floats, zero among them: the zero point; the scale is put into
 * *scale, which is the end's factor. `none`: what stands for the span of zeros alone. */
hy__integer_end hy__integer_span(const hy__integer *kernel, const float *x, size_t n, float none,
                                 float *scale);
hy__integer_end hy__integer_end_of(const hy_tensor *zero, hy_dtype y);

/* The right-hand side: n_right matrices of k x n bytes one behind the other, at these strides, in
 * n_taps parts of k / n_taps rows (1 but for convolutions). */
typedef struct hy__integer_right {
  size_t b, b_zero; /* inputs */
  size_t n_right, n_taps, each, inner, n;
  ptrdiff_t tap_stride, outer_stride, k_stride, n_stride;
  bool by_matrix; /* zero points are given for each matrix */
  /* filled by lower: */
  bool ones;           /* a column of ones gives the rows' sums: zero points of B count */
  uint8_t flip;        /* of B's bytes */
  size_t zeros;        /* of a matrix: 1 or n */
  const int32_t *zero; /* of all; NULL: at run */
  const void **packed; /* NULL: at run */
  size_t packed_bytes;
  size_t zero_at, packed_at; /* in scratch */
} hy__integer_right;
HY_CHECKED hy_status hy__integer_right_lower(hy__op_plan *p, hy__integer_right *r, hy_error *err);
/* Matrix `index` as the kernel takes it, and its zero points. */
const void *hy__integer_right_at(const hy__integer_right *r, const hy__step *step, size_t index,
                                 const int32_t **zero);

/* Takes out of a row's sums what zero points of B that count add: a_zero is that of unsigned A. */
void hy__integer_correct(const hy__integer_right *r, const hy__integer *kernel, const int32_t *zero,
                         int32_t a_zero, int32_t *sums);

typedef struct hy__integer_gemm {
  hy__integer_right right;
  size_t m;
  bool a_signed, by_row; /* by_row: zero points of A count per row */
  bool whole;            /* sums go where they belong, without a detour */
  /* filled by lower: */
  bool in_place;
  size_t step, block, ldc;
  size_t init_at, parts_at, sums_at, part_bytes; /* in scratch; sums_at within a part */
} hy__integer_gemm;
/* Sizes, packs, and adds to p->scratch_bytes. `raw`: the sums themselves are wanted. */
HY_CHECKED hy_status hy__integer_gemm_lower(hy__op_plan *p, hy__integer_gemm *g, bool raw,
                                            hy_error *err);

typedef struct hy__integer_call {
  const uint8_t *a;
  size_t index;             /* of the right-hand matrix */
  int32_t a_zero;           /* for all rows */
  const hy_tensor *a_zeros; /* per row */
  const int32_t *bias;      /* of n sums; NULL: none */
  hy__integer_end end;
  const hy__requantise *row_scales; /* factors differ from row to row; NULL: as in `end` */
  int32_t *sums;                    /* one of the three */
  uint8_t *bytes;
  float *floats;
} hy__integer_call;
HY_CHECKED hy_status hy__integer_gemm_run(const hy__step *step, const hy__integer_gemm *g,
                                          const hy__integer_call *call, hy_error *err);

/* Takes room of n * each bytes in the step's scratch; false past all memory. */
bool hy__integer_room(hy__op_plan *p, size_t *at, size_t n, size_t each);

#endif
