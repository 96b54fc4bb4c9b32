/* SPDX-License-Identifier: Apache-2.0
 * The float32 matrix product, avx2. */
#include "kernel/simd/f32_avx2.h"

#define HY_KERNEL hy__gemm_f32_avx2
#define HY_ROWS   6
#define HY_TILE   "6x16"
#include "kernel/gemm/gemm_f32.tmpl.c"
