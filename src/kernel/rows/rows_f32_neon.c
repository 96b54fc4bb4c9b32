/* SPDX-License-Identifier: Apache-2.0
 * Rows of float32: softmax and layer normalisation, neon. */
#include "kernel/simd/f32_neon.h"

#define HY_KERNEL hy__rows_f32_neon
#include "kernel/rows/rows_f32.tmpl.c"
