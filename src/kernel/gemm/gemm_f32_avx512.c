/* SPDX-License-Identifier: Apache-2.0
 * The float32 matrix product, avx512. */
#include "kernel/simd/f32_avx512.h"

#define HY_KERNEL hy__gemm_f32_avx512
#define HY_ROWS   14
#define HY_TILE   "14x32"
#include "kernel/gemm/gemm_f32.tmpl.c"
