/* SPDX-License-Identifier: Apache-2.0
 * Vectors of 64 bytes for the tree kernels that have AVX-512. */
#ifndef HY_KERNEL_TREE_TREE_AVX512_H
#define HY_KERNEL_TREE_TREE_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BYTES  64
#define GROUPS 4
#define FEW    8

typedef __m512i vec;

static inline vec vec_load(const int8_t *p) { return _mm512_loadu_si512(p); }
static inline void vec_store(uint8_t *p, vec v) { _mm512_storeu_si512(p, v); }
static inline vec vec_set(int8_t byte) { return _mm512_set1_epi8(byte); }
static inline vec vec_add(vec a, vec b) { return _mm512_add_epi8(a, b); }
static inline vec vec_xor(vec a, vec b) { return _mm512_xor_si512(a, b); }
static inline vec vec_cut(vec leaf, vec first, vec value, vec key, vec place) {
  const __mmask64 greater = _mm512_cmpgt_epi8_mask(value, key); /* does not wait for the leaf */
  return _mm512_mask_mov_epi8(leaf, _mm512_mask_cmpge_epi8_mask(greater, leaf, first), place);
}

static inline uint32_t passed_i32(const int32_t *keys, int32_t x) {
  const __mmask16 less = _mm512_cmplt_epi32_mask(_mm512_loadu_si512(keys), _mm512_set1_epi32(x));
  return (uint32_t)_mm_popcnt_u32(less);
}
static inline uint32_t passed_i64(const int64_t *keys, int64_t x) {
  const vec v = _mm512_set1_epi64(x);
  const uint32_t a = _mm512_cmplt_epi64_mask(_mm512_loadu_si512(keys), v);
  const uint32_t b = _mm512_cmplt_epi64_mask(_mm512_loadu_si512(keys + 8), v);
  return (uint32_t)_mm_popcnt_u32(a | b << 8);
}

/* Up to 64 leaves' values are looked up in registers; gathers take eight times as long. */
enum { LOOKUP = 64 };

static inline void add8(double *sums, __m512d values, bool f32) {
  __m512d sum = _mm512_add_pd(_mm512_loadu_pd(sums), values);
  if (f32) sum = _mm512_cvtps_pd(_mm512_cvtpd_ps(sum));
  _mm512_storeu_pd(sums, sum);
}

/* A table of 64 words of 32 bits, the words past the last zero. */
typedef struct table {
  vec a, b, c, d;
} table;

static inline table table_of(const void *words, size_t n) {
  const int32_t *p = words;
  const uint64_t some = n >= 64 ? UINT64_MAX : ((uint64_t)1 << n) - 1;
  return (table){_mm512_maskz_loadu_epi32((__mmask16)some, p),
                 _mm512_maskz_loadu_epi32((__mmask16)(some >> 16), p + 16),
                 _mm512_maskz_loadu_epi32((__mmask16)(some >> 32), p + 32),
                 _mm512_maskz_loadu_epi32((__mmask16)(some >> 48), p + 48)};
}
static inline vec value_words(const table *t, vec at, __mmask16 upper) {
  return _mm512_mask_mov_epi32(_mm512_permutex2var_epi32(t->a, at, t->b), upper,
                               _mm512_permutex2var_epi32(t->c, at, t->d));
}
static inline vec places(const uint8_t *leaves) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)leaves));
}

static inline void add_leaves_f32(const float *values, size_t n_leaves, const uint8_t *leaves,
                                  double *sums, size_t n, bool f32) {
  if (n_leaves > LOOKUP) {
    for (size_t r = 0; r < n; ++r) sums[r] += (double)values[leaves[r]];
    for (size_t r = 0; f32 && r < n; ++r) sums[r] = (double)(float)sums[r];
    return;
  }
  const table t = table_of(values, n_leaves);
  for (size_t r = 0; r < n; r += 16) { /* rows past the last are never looked at */
    const vec at = places(leaves + r);
    const vec v = value_words(&t, at, _mm512_test_epi32_mask(at, _mm512_set1_epi32(32)));
    add8(sums + r, _mm512_cvtps_pd(_mm256_castsi256_ps(_mm512_castsi512_si256(v))), f32);
    add8(sums + r + 8, _mm512_cvtps_pd(_mm256_castsi256_ps(_mm512_extracti64x4_epi64(v, 1))), f32);
  }
}

/* The lower and upper words of doubles, one table each. */
typedef struct halves {
  int32_t low[LOOKUP], high[LOOKUP];
} halves;

static inline halves halves_of(const double *values, size_t n) {
  halves h;
  for (size_t k = 0; k < LOOKUP; k += 8) {
    const __mmask8 some = (__mmask8)(k >= n ? 0 : n - k >= 8 ? 255 : (1u << (n - k)) - 1);
    const vec v = _mm512_castpd_si512(_mm512_maskz_loadu_pd(some, values + k));
    _mm256_storeu_si256((__m256i *)(void *)(h.low + k), _mm512_cvtepi64_epi32(v));
    _mm256_storeu_si256((__m256i *)(void *)(h.high + k),
                        _mm512_cvtepi64_epi32(_mm512_srli_epi64(v, 32)));
  }
  return h;
}

static inline void add_leaves_f64(const double *values, size_t n_leaves, const uint8_t *leaves,
                                  double *sums, size_t n, bool f32) {
  if (n_leaves > LOOKUP) {
    for (size_t r = 0; r < n; ++r) sums[r] += values[leaves[r]];
    for (size_t r = 0; f32 && r < n; ++r) sums[r] = (double)(float)sums[r];
    return;
  }
  const halves h = halves_of(values, n_leaves);
  const table low = table_of(h.low, LOOKUP), high = table_of(h.high, LOOKUP);
  const vec first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const vec second = _mm512_add_epi32(first, _mm512_set1_epi32(8));
  for (size_t r = 0; r < n; r += 16) {
    const vec at = places(leaves + r);
    const __mmask16 upper = _mm512_test_epi32_mask(at, _mm512_set1_epi32(32));
    const vec a = value_words(&low, at, upper), b = value_words(&high, at, upper);
    add8(sums + r, _mm512_castsi512_pd(_mm512_permutex2var_epi32(a, first, b)), f32);
    add8(sums + r + 8, _mm512_castsi512_pd(_mm512_permutex2var_epi32(a, second, b)), f32);
  }
}

#endif
