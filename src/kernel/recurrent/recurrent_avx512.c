/* SPDX-License-Identifier: Apache-2.0
 * Recurrent steps, avx512. */
#include "kernel/simd/f32_avx512.h"

#define HY_KERNEL hy__recurrent_avx512
#define HY_ROWS_4 6
#define HY_ROWS_3 7
#define HY_ROWS_2 8
#define HY_TILE   "6x4x16"
#include "kernel/recurrent/recurrent.tmpl.c"
