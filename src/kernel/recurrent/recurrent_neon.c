/* SPDX-License-Identifier: Apache-2.0
 * Recurrent steps, neon. */
#include "kernel/simd/f32_neon.h"

#define HY_KERNEL hy__recurrent_neon
#define HY_ROWS_4 6
#define HY_ROWS_3 6
#define HY_ROWS_2 8
#define HY_TILE   "6x4x4"
#include "kernel/recurrent/recurrent.tmpl.c"
