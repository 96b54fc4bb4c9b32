/* SPDX-License-Identifier: Apache-2.0
 * The machine's peaks, scalar. */
#include "kernel/simd/f32_scalar.h"

#define HY_KERNEL hy__peak_scalar
#include "kernel/peak/peak.tmpl.c"
