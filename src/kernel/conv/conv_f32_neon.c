/* SPDX-License-Identifier: Apache-2.0
 * Convolutions of channels-last float32, neon. */
#include "kernel/simd/f32_neon.h"

#define HY_KERNEL hy__conv_f32_neon
#define HY_ROWS   14
#define HY_TILE   "14x8"
#include "kernel/conv/conv_f32.tmpl.c"
