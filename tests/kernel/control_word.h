/* SPDX-License-Identifier: Apache-2.0
 * The floating-point control word, which a kernel must leave as it found it; exception flags apart.
 */
#ifndef HY_TESTS_KERNEL_CONTROL_WORD_H
#define HY_TESTS_KERNEL_CONTROL_WORD_H

#include <stdint.h>

#if !defined(__aarch64__)
#include <xmmintrin.h>
#endif

static inline uint64_t control_word(void) {
#if defined(__aarch64__)
  uint64_t word;
  __asm__ volatile("mrs %0, fpcr" : "=r"(word));
  return word;
#else
  return _mm_getcsr() & ~0x3fu;
#endif
}

#endif
