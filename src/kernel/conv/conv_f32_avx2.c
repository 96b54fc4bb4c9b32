/* SPDX-License-Identifier: Apache-2.0
 * Convolutions of channels-last float32, avx2. */
#include "kernel/simd/f32_avx2.h"

#define HY_KERNEL hy__conv_f32_avx2
#define HY_ROWS   6
#define HY_TILE   "6x16"
#include "kernel/conv/conv_f32.tmpl.c"
