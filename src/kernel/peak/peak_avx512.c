/* SPDX-License-Identifier: Apache-2.0
 * The machine's peaks, avx512. */
#include "kernel/simd/f32_avx512.h"

#define HY_KERNEL hy__peak_avx512
#include "kernel/peak/peak.tmpl.c"
