/* SPDX-License-Identifier: Apache-2.0
 * What the products of 8-bit integers share: operands without their zero points as 16-bit integers,
 * sums of 32 bits that wrap, and the way back to 8 bits. */
#ifndef HY_OP_INTEGER_PRODUCT_H
#define HY_OP_INTEGER_PRODUCT_H

#include "op/narrow.h"

static inline bool hy__integer_is_byte(hy_dtype d) { return d == HY_I8 || d == HY_U8; }
/* The integer at i of an 8-bit tensor; 0 if it is absent (a zero point that is left out). */
static inline int32_t hy__integer_at(const hy_tensor *t, size_t i) {
  if (!t || !t->data) return 0;
  return t->dtype == HY_I8 ? ((const int8_t *)t->data)[i] : ((const uint8_t *)t->data)[i];
}

/* Checks an optional input `k` of zero points or scales: one, or `n` of them in one dim. */
HY_CHECKED hy_status hy__integer_list(const hy__op_plan *p, size_t k, int64_t n, const char *name,
                                      hy_error *err);
/* rows x cols elements from `begin` on; the zero point of row r is zero[r * by_row], of column c
 * zero[c * by_col]. */
typedef struct hy__integer_source {
  const hy_tensor *t, *zero;
  size_t begin, rows, cols;
  bool by_row, by_col;
} hy__integer_source;
void hy__integer_widen(const hy__integer_source *source, int16_t *to);
/* c [m][n] = a [m][k] b [k][n], the rows of c ld elements apart. */
typedef struct hy__integer_call {
  const int16_t *a, *b;
  int32_t *c;
  size_t ldc, m, n, k;
} hy__integer_call;
void hy__integer_multiply(const hy__integer_call *call);

/* Back to 8 bits: sum * (a * b / y) rounded to even, plus y's zero point, saturated. The factor is
 * worked out in float32, or rounded at each operation to the scales' half type. */
typedef struct hy__requantise {
  const hy_tensor *a, *b, *y, *zero; /* scales, and y's zero point */
} hy__requantise;
float hy__requantise_factor(const hy__requantise *r, size_t a, size_t b);
void hy__requantise_store(const hy__requantise *r, float factor, int32_t sum, hy_tensor *y,
                          size_t at);

#endif
