/* SPDX-License-Identifier: Apache-2.0
 * Attention of one head in float32, avx2. */
#include "kernel/simd/f32_avx2.h"

#define HY_KERNEL hy__attention_f32_avx2
#define HY_ROWS   4
#define HY_TILE   "4x16"
#include "kernel/attention/attention_f32.tmpl.c"
