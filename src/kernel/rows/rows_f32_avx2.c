/* SPDX-License-Identifier: Apache-2.0
 * Rows of float32: softmax and layer normalisation, avx2. */
#include "kernel/simd/f32_avx2.h"

#define HY_KERNEL hy__rows_f32_avx2
#include "kernel/rows/rows_f32.tmpl.c"
