/* SPDX-License-Identifier: Apache-2.0
 * The product of bytes, AVX2 with AVX-VNNI: four bytes of a lane at once. */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define HY_VL     8
#define HY_GROUP  4
#define HY_INLINE static inline __attribute__((always_inline, unused))
typedef __m256i vi;
typedef uint8_t left_element;

HY_INLINE __m256i i_first(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
HY_INLINE vi i_zero(void) { return _mm256_setzero_si256(); }
HY_INLINE vi i_load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
HY_INLINE vi i_load_n(const int *p, size_t n) { return _mm256_maskload_epi32(p, i_first(n)); }
HY_INLINE void i_store(int *p, vi v) { _mm256_storeu_si256((__m256i *)p, v); }
HY_INLINE void i_store_n(int *p, vi v, size_t n) { _mm256_maskstore_epi32(p, i_first(n), v); }
HY_INLINE vi i_set(const uint8_t *p) {
  int x;
  __builtin_memcpy(&x, p, sizeof x);
  return _mm256_set1_epi32(x);
}
HY_INLINE vi i_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
HY_INLINE vi i_dot(vi sum, vi a, vi b) { return _mm256_dpbusd_avx_epi32(sum, a, b); }

#define HY_KERNEL hy__integer_avxvnni
#define HY_ROWS   6
#define HY_TILE   "6x16"
#include "kernel/integer/integer.tmpl.c"
