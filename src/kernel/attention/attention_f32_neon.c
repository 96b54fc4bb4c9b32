/* SPDX-License-Identifier: Apache-2.0
 * Attention of one head in float32, neon. */
#include "kernel/simd/f32_neon.h"

#define HY_KERNEL hy__attention_f32_neon
#define HY_ROWS   8
#define HY_TILE   "8x8"
#include "kernel/attention/attention_f32.tmpl.c"
