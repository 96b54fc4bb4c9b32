/* SPDX-License-Identifier: Apache-2.0
 * Attention of one head in float32, avx512. */
#include "kernel/simd/f32_avx512.h"

#define HY_KERNEL hy__attention_f32_avx512
#define HY_ROWS   8
#define HY_TILE   "8x32"
#include "kernel/attention/attention_f32.tmpl.c"
