/* SPDX-License-Identifier: Apache-2.0
 * An Einsum as it is planned: labels with their dims and each operand's stride along them. einsum.c
 * reads the equation and has the plain sums; einsum_product.c makes one matrix product of it. */
#ifndef HY_OP_EINSUM_H
#define HY_OP_EINSUM_H

#include "op/product.h"

enum {
  HY__EINSUM_OPERANDS = 8,
  HY__EINSUM_LABELS = 52 + HY_MAX_RANK /* letters, and the ellipsis' dims counted from its end */
};

typedef struct hy__einsum {
  size_t n_operands;
  int32_t n_out, n_all; /* labels: those of the output first, in its order, then those summed */
  int64_t dims[HY__EINSUM_LABELS];
  int64_t strides[HY__EINSUM_OPERANDS][HY__EINSUM_LABELS]; /* 0 where the operand lacks it */
  bool whole;                                              /* integers */
} hy__einsum;

/* Lowers two operands of floats to a matrix product per entry of their common output labels, with
 * copies into its order where they are needed. *done false: too small to be worth it, or not so. */
HY_CHECKED hy_status hy__einsum_product_lower(hy__op_plan *p, const hy__einsum *e, bool *done,
                                              hy_error *err);

#endif
