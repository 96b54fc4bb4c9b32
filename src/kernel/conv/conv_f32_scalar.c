/* SPDX-License-Identifier: Apache-2.0
 * Convolutions of channels-last float32, scalar. */
#include "kernel/simd/f32_scalar.h"

#define HY_KERNEL hy__conv_f32_scalar
#define HY_ROWS   4
#define HY_TILE   "4x8"
#include "kernel/conv/conv_f32.tmpl.c"
