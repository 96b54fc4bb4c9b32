/* SPDX-License-Identifier: Apache-2.0
 * Element-wise functions of float32, neon. */
#include "kernel/simd/f32_neon.h"

#define HY_KERNEL hy__unary_f32_neon
#include "kernel/unary/unary_f32.tmpl.c"
