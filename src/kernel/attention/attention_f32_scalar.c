/* SPDX-License-Identifier: Apache-2.0
 * Attention of one head in float32, scalar. */
#include "kernel/simd/f32_scalar.h"

#define HY_KERNEL hy__attention_f32_scalar
#define HY_ROWS   4
#define HY_TILE   "4x8"
#include "kernel/attention/attention_f32.tmpl.c"
