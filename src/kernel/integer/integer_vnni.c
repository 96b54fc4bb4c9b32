/* SPDX-License-Identifier: Apache-2.0
 * The product of bytes, AVX-512 with VNNI: four bytes of a lane at once. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define HY_VL     16
#define HY_GROUP  4
#define HY_INLINE static inline __attribute__((always_inline, unused))
typedef __m512i vi;
typedef uint8_t left_element;

HY_INLINE __mmask16 i_first(size_t n) { return (__mmask16)((1u << n) - 1u); } /* n <= 16 */
HY_INLINE vi i_zero(void) { return _mm512_setzero_si512(); }
HY_INLINE vi i_load(const void *p) { return _mm512_loadu_si512(p); }
HY_INLINE vi i_load_n(const int *p, size_t n) { return _mm512_maskz_loadu_epi32(i_first(n), p); }
HY_INLINE void i_store(int *p, vi v) { _mm512_storeu_si512(p, v); }
HY_INLINE void i_store_n(int *p, vi v, size_t n) { _mm512_mask_storeu_epi32(p, i_first(n), v); }
HY_INLINE vi i_set(const uint8_t *p) {
  int x;
  __builtin_memcpy(&x, p, sizeof x);
  return _mm512_set1_epi32(x);
}
HY_INLINE vi i_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
HY_INLINE vi i_dot(vi sum, vi a, vi b) { return _mm512_dpbusd_epi32(sum, a, b); }

#define HY_KERNEL hy__integer_vnni
#define HY_ROWS   12
#define HY_TILE   "12x32"
#include "kernel/integer/integer.tmpl.c"
