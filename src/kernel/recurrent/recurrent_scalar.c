/* SPDX-License-Identifier: Apache-2.0
 * Recurrent steps, scalar. */
#include "kernel/simd/f32_scalar.h"

#define HY_KERNEL hy__recurrent_scalar
#define HY_ROWS_4 2
#define HY_ROWS_3 2
#define HY_ROWS_2 3
#define HY_TILE   "2x4x4"
#include "kernel/recurrent/recurrent.tmpl.c"
