/* SPDX-License-Identifier: Apache-2.0
 * Denormals: a kernel of the matrix, recurrent or activation families opens with control_flush and
 * closes by giving back the word it returned, exception flags included. */
#ifndef HY_KERNEL_SIMD_CONTROL_H
#define HY_KERNEL_SIMD_CONTROL_H

#include <stdint.h>

#if defined(__aarch64__)
/* FZ (bit 24) alone: rounding to nearest, exceptions untrapped. */
static inline __attribute__((unused)) unsigned control_flush(void) {
  uint64_t saved;
  __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
  __asm__ volatile("msr fpcr, %0" : : "r"(UINT64_C(1) << 24));
  return (unsigned)saved; /* the upper half is reserved */
}

static inline __attribute__((unused)) void control_restore(unsigned saved) {
  __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)saved));
}
#else
#include <xmmintrin.h>

/* Flush-to-zero (bit 15) and denormals-are-zero (bit 6) on, rounding to nearest, exceptions
 * masked. */
static inline __attribute__((unused)) unsigned control_flush(void) {
  unsigned saved = _mm_getcsr();
  _mm_setcsr(0x1f80u | 0x8040u);
  return saved;
}

static inline __attribute__((unused)) void control_restore(unsigned saved) { _mm_setcsr(saved); }
#endif

#if defined(__clang__)
#define HY_UNROLL _Pragma("unroll")
#else
#define HY_UNROLL _Pragma("GCC unroll 32")
#endif

#endif
