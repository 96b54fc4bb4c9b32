/* SPDX-License-Identifier: Apache-2.0
 * Element-wise functions of one operand over contiguous elements. */
#ifndef HY_KERNEL_UNARY_UNARY_H
#define HY_KERNEL_UNARY_UNARY_H

#include "base/base.h"

typedef enum hy__unary {
#define HY_UNARY(id, flush) HY__UNARY_##id,
#include "kernel/unary/unary.inc"
#undef HY_UNARY
  HY__UNARY_COUNT
} hy__unary;

/* y may be x. */
typedef void (*hy__unary_f32_fn)(const float *x, float *y, size_t n, float alpha, float beta);
typedef void (*hy__unary_f64_fn)(const double *x, double *y, size_t n, double alpha, double beta);

typedef struct hy__unary_f32 {
  hy__unary_f32_fn fn[HY__UNARY_COUNT];
} hy__unary_f32;

typedef struct hy__unary_f64 {
  hy__unary_f64_fn fn[HY__UNARY_COUNT];
} hy__unary_f64;

const char *hy__unary_name(hy__unary op);

#endif
