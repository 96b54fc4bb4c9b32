/* SPDX-License-Identifier: Apache-2.0
 * Element-wise functions of two operands: the inner loop, which the operators walk over a
 * broadcast. */
#ifndef HY_KERNEL_BINARY_BINARY_H
#define HY_KERNEL_BINARY_BINARY_H

#include <hayate/array.h>

#include "base/base.h"

typedef enum hy__binary {
#define HY_BINARY(id, compares) HY__BINARY_##id,
#include "kernel/binary/binary.inc"
#undef HY_BINARY
  HY__BINARY_COUNT
} hy__binary;

/* y[i] = a[i * a_step] op b[i * b_step], steps 0 or 1. Integers wrap; dividing by zero gives 0 and
 * the smallest value over -1 itself. MIN and MAX give NaN where either is. y may be an operand of
 * the same element size and step 1. */
typedef void (*hy__binary_fn)(const void *a, const void *b, void *y, size_t n, size_t a_step,
                              size_t b_step);

enum { HY__BINARY_DTYPES = HY_U64 + 1 };

typedef struct hy__binary_ops {
  hy__binary_fn fn[HY__BINARY_COUNT]
                  [HY__BINARY_DTYPES]; /* NULL: no such pair (strings, bool, half) */
} hy__binary_ops;

#endif
