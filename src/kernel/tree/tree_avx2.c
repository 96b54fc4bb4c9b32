/* SPDX-License-Identifier: Apache-2.0
 * Forests, 32 rows to a vector. */
#include <immintrin.h>

#include "kernel/tree/leaves.h"

#define BYTES      32
#define GROUPS     4
#define FEW        4
#define HY_KERNEL  hy__tree_avx2
#define BAND_SLOTS 128
#define BAND_ROWS  24

typedef __m256i vec;

static inline vec vec_load(const int8_t *p) {
  return _mm256_loadu_si256((const vec *)(const void *)p);
}
static inline void vec_store(uint8_t *p, vec v) { _mm256_storeu_si256((vec *)(void *)p, v); }
static inline vec vec_set(int8_t byte) { return _mm256_set1_epi8(byte); }
static inline vec vec_add(vec a, vec b) { return _mm256_add_epi8(a, b); }
static inline vec vec_xor(vec a, vec b) { return _mm256_xor_si256(a, b); }
static inline vec vec_cut(vec leaf, vec first, vec value, vec key, vec place) {
  const vec before = _mm256_cmpgt_epi8(first, leaf), greater = _mm256_cmpgt_epi8(value, key);
  return _mm256_blendv_epi8(leaf, place, _mm256_andnot_si256(before, greater));
}

static inline uint32_t passed_i32(const int32_t *keys, int32_t x) {
  const vec v = _mm256_set1_epi32(x);
  const vec a = _mm256_cmpgt_epi32(v, _mm256_loadu_si256((const vec *)(const void *)keys));
  const vec b = _mm256_cmpgt_epi32(v, _mm256_loadu_si256((const vec *)(const void *)(keys + 8)));
  const uint32_t bits = (uint32_t)_mm256_movemask_epi8(_mm256_packs_epi32(a, b));
  return (uint32_t)_mm_popcnt_u32(bits) / 2;
}
static inline uint32_t passed_i64(const int64_t *keys, int64_t x) {
  const vec v = _mm256_set1_epi64x(x);
  uint32_t n = 0;
  for (int k = 0; k < 16; k += 4) {
    const vec some = _mm256_loadu_si256((const vec *)(const void *)(keys + k));
    const __m256d greater = _mm256_castsi256_pd(_mm256_cmpgt_epi64(v, some));
    n += (uint32_t)_mm_popcnt_u32((uint32_t)_mm256_movemask_pd(greater));
  }
  return n;
}

/* Sixteen slots in both lanes of 128 bits. */
typedef struct look {
  vec part[BAND_SLOTS / 16];
} look;

static inline look look_of(const int8_t *row, size_t n_slots) {
  look t;
  for (size_t k = 0; k < BAND_SLOTS / 16; ++k)
    t.part[k] = _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)(const void *)(row + (16 * k < n_slots ? 16 * k : 0))));
  return t;
}

/* A place of another part gets a byte above 127, for which the shuffle gives 0. */
static inline vec look_up(const look *t, vec at, const int parts) {
  vec found = _mm256_setzero_si256();
  for (int k = 0; k < parts; ++k) {
    const vec own = _mm256_xor_si256(at, _mm256_set1_epi8((int8_t)(16 * k)));
    const vec masked = _mm256_adds_epu8(own, _mm256_set1_epi8(0x70));
    found = _mm256_or_si256(found, _mm256_shuffle_epi8(t->part[k], masked));
  }
  return found;
}

#include "kernel/tree/tree.tmpl.c"
