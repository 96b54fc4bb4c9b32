/* SPDX-License-Identifier: Apache-2.0
 * Element-wise functions of float32, scalar. */
#include "kernel/simd/f32_scalar.h"

#define HY_KERNEL hy__unary_f32_scalar
#include "kernel/unary/unary_f32.tmpl.c"
