/* SPDX-License-Identifier: Apache-2.0
 * Convolutions of channels-last float32, avx512. */
#include "kernel/simd/f32_avx512.h"

#define HY_KERNEL hy__conv_f32_avx512
#define HY_ROWS   14
#define HY_TILE   "14x32"
#include "kernel/conv/conv_f32.tmpl.c"
