/* SPDX-License-Identifier: Apache-2.0
 * The float32 matrix product, neon. */
#include "kernel/simd/f32_neon.h"

#define HY_KERNEL hy__gemm_f32_neon
#define HY_ROWS   14
#define HY_TILE   "14x8"
#include "kernel/gemm/gemm_f32.tmpl.c"
