/* SPDX-License-Identifier: Apache-2.0
 * The machine's peaks, neon. */
#include "kernel/simd/f32_neon.h"

#define HY_KERNEL hy__peak_neon
#include "kernel/peak/peak.tmpl.c"
