/* SPDX-License-Identifier: Apache-2.0
 * Denormals: a kernel of the matrix, recurrent or activation families opens with control_flush and
 * closes by giving back the word it returned, exception flags included. */
#ifndef HY_KERNEL_SIMD_CONTROL_H
#define HY_KERNEL_SIMD_CONTROL_H

#include <xmmintrin.h>

/* Flush-to-zero (bit 15) and denormals-are-zero (bit 6) on, rounding to nearest, exceptions
 * masked. */
static inline __attribute__((unused)) unsigned control_flush(void) {
  unsigned saved = _mm_getcsr();
  _mm_setcsr(0x1f80u | 0x8040u);
  return saved;
}

static inline __attribute__((unused)) void control_restore(unsigned saved) { _mm_setcsr(saved); }

#if defined(__clang__)
#define HY_UNROLL _Pragma("unroll")
#else
#define HY_UNROLL _Pragma("GCC unroll 32")
#endif

#endif
