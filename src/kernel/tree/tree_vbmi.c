/* SPDX-License-Identifier: Apache-2.0
 * Forests, 64 rows to a vector; few rows by bands of 64 trees, whose slots are looked up in one
 * permutation of 64 or 128 bytes. */
#include "kernel/tree/tree_avx512.h"

#define HY_KERNEL  hy__tree_vbmi
#define BAND_SLOTS 256
#define BAND_ROWS  64

typedef struct look {
  vec part[4];
} look;

static inline look look_of(const int8_t *row, size_t n_slots) {
  (void)n_slots; /* a row has at least 256 bytes */
  return (look){{vec_load(row), vec_load(row + 64), vec_load(row + 128), vec_load(row + 192)}};
}

static inline vec look_up(const look *t, vec at, const int parts) {
  if (parts <= 4) return _mm512_permutexvar_epi8(at, t->part[0]);
  const vec low = _mm512_permutex2var_epi8(t->part[0], at, t->part[1]);
  if (parts <= 8) return low;
  const vec high = _mm512_permutex2var_epi8(t->part[2], at, t->part[3]);
  return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(at), high);
}

#include "kernel/tree/tree.tmpl.c"
