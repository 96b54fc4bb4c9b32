/* SPDX-License-Identifier: Apache-2.0
 * The float32 matrix product, scalar. */
#include "kernel/simd/f32_scalar.h"

#define HY_KERNEL hy__gemm_f32_scalar
#define HY_ROWS   4
#define HY_TILE   "4x8"
#include "kernel/gemm/gemm_f32.tmpl.c"
