/* SPDX-License-Identifier: Apache-2.0
 * Forests, 64 rows to a vector; few rows by bands of 64 trees, whose slots are looked up 16 at a
 * time. */
#include "kernel/tree/tree_avx512.h"

#define HY_KERNEL  hy__tree_avx512
#define BAND_SLOTS 128
#define BAND_ROWS  64

/* Sixteen slots in each lane of 128 bits. */
typedef struct look {
  vec part[BAND_SLOTS / 16];
} look;

static inline look look_of(const int8_t *row, size_t n_slots) {
  look t;
  for (size_t k = 0; k < BAND_SLOTS / 16; ++k)
    t.part[k] = _mm512_broadcast_i32x4(
        _mm_loadu_si128((const __m128i *)(const void *)(row + (16 * k < n_slots ? 16 * k : 0))));
  return t;
}

/* A place of another part gets a byte above 127, for which the shuffle gives 0. */
static inline vec look_up(const look *t, vec at, const int parts) {
  vec found = _mm512_setzero_si512();
  for (int k = 0; k < parts; ++k) {
    const vec own = _mm512_xor_si512(at, _mm512_set1_epi8((int8_t)(16 * k)));
    const vec masked = _mm512_adds_epu8(own, _mm512_set1_epi8(0x70));
    found = _mm512_or_si512(found, _mm512_shuffle_epi8(t->part[k], masked));
  }
  return found;
}

#include "kernel/tree/tree.tmpl.c"
