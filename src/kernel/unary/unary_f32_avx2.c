/* SPDX-License-Identifier: Apache-2.0
 * Element-wise functions of float32, avx2. */
#include "kernel/simd/f32_avx2.h"

#define HY_KERNEL hy__unary_f32_avx2
#include "kernel/unary/unary_f32.tmpl.c"
