/* SPDX-License-Identifier: Apache-2.0
 * What Gemm, MatMul, Linear and their like share: one matrix product whose right-hand side is
 * packed when the plan is made if it is known then, else at each run into scratch. */
#ifndef HY_OP_PRODUCT_H
#define HY_OP_PRODUCT_H

#include "op/rule.h"

typedef struct hy__product {
  hy_dtype dtype; /* HY_F32 or HY_F64 */
  size_t m, n, k;
  bool transposed; /* b is [n, k] */
  bool weights;    /* b, where it is known, may be rounded to bfloat16 */
  bool pairs;      /* lower sets: it is packed so for one row */
  double alpha;
  hy__act act;         /* in float64 applied after the product */
  size_t packed_bytes; /* of one right-hand side, a multiple of 64; 0 in float64 where b is used as
                          it is */
  const void *packed;  /* NULL: at run */
} hy__product;

/* Sizes the packed form, and packs `b` (k * n elements) if it is not NULL. */
HY_CHECKED hy_status hy__product_lower(hy__op_plan *p, hy__product *product, const void *b,
                                       hy_error *err);
/* The right-hand side in the form that run wants: `product->packed`, b itself, or packed into
 * scratch. */
const void *hy__product_right(const hy__product *product, const hy__kernels *kernels, const void *b,
                              void *scratch);
typedef struct hy__product_call {
  const void *a, *right;
  const void *init; /* NULL: zeros */
  size_t init_ld;   /* elements; 0: one row for all */
  void *c;
} hy__product_call;
void hy__product_run(const hy__product *product, const hy__kernels *kernels,
                     const hy__product_call *call);
/* The same, and a large float32 product divides among the step's workers, by rows or columns; not
 * from inside of a job of theirs. */
HY_CHECKED hy_status hy__product_divide(const hy__product *product, const hy__step *step,
                                        const hy__product_call *call, hy_error *err);

/* Gemm of integers. */
HY_CHECKED hy_status hy__gemm_integer_lower(hy__op_plan *p, hy_error *err);

#endif
