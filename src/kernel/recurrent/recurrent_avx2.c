/* SPDX-License-Identifier: Apache-2.0
 * Recurrent steps, avx2. */
#include "kernel/simd/f32_avx2.h"

#define HY_KERNEL hy__recurrent_avx2
#define HY_ROWS_4 3
#define HY_ROWS_3 3
#define HY_ROWS_2 4
#define HY_TILE   "3x4x8"
#include "kernel/recurrent/recurrent.tmpl.c"
