/* SPDX-License-Identifier: Apache-2.0
 * The machine's peaks, avx2. */
#include "kernel/simd/f32_avx2.h"

#define HY_KERNEL hy__peak_avx2
#include "kernel/peak/peak.tmpl.c"
