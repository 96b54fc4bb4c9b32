/* SPDX-License-Identifier: Apache-2.0
 * Softmax of dense rows, for the operators that have one inside. */
#ifndef HY_OP_SOFTMAX_H
#define HY_OP_SOFTMAX_H

#include "op/op.h"

/* Of HY_F32 or HY_F64; y may be x. */
typedef struct hy__softmax_rows {
  hy_dtype dtype;
  bool log;
  const void *x;
  void *y;
  size_t rows, n;
} hy__softmax_rows;
void hy__softmax_run(const hy__kernels *kernels, const hy__softmax_rows *call);

#endif
