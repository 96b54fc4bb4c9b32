/* SPDX-License-Identifier: Apache-2.0
 * Rows of float32: softmax and layer normalisation, scalar. */
#include "kernel/simd/f32_scalar.h"

#define HY_KERNEL hy__rows_f32_scalar
#include "kernel/rows/rows_f32.tmpl.c"
