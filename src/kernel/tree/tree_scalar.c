/* SPDX-License-Identifier: Apache-2.0
 * Forests in plain C: vectors are arrays of 16 bytes. Sums of doubles in tree order, so the bits
 * are the same for every batch and instruction set, and for one row alone. */
#include <string.h>

#include "kernel/tree/leaves.h"

#define BYTES      16
#define GROUPS     4
#define FEW        32
#define BAND_SLOTS 0
#define HY_KERNEL  hy__tree_scalar

typedef struct vec {
  int8_t b[BYTES];
} vec;

static inline vec vec_load(const int8_t *p) {
  vec v;
  memcpy(v.b, p, BYTES);
  return v;
}
static inline void vec_store(uint8_t *p, vec v) { memcpy(p, v.b, BYTES); }
static inline vec vec_set(int8_t byte) {
  vec v;
  memset(v.b, byte, BYTES);
  return v;
}
static inline vec vec_add(vec a, vec b) {
  for (int k = 0; k < BYTES; ++k) a.b[k] = (int8_t)(a.b[k] + b.b[k]);
  return a;
}
static inline vec vec_xor(vec a, vec b) {
  for (int k = 0; k < BYTES; ++k) a.b[k] = (int8_t)(a.b[k] ^ b.b[k]);
  return a;
}
static inline vec vec_cut(vec leaf, vec first, vec value, vec key, vec place) {
  for (int k = 0; k < BYTES; ++k)
    leaf.b[k] = leaf.b[k] >= first.b[k] && value.b[k] > key.b[k] ? place.b[k] : leaf.b[k];
  return leaf;
}

static inline uint32_t passed_i32(const int32_t *keys, int32_t x) {
  uint32_t n = 0;
  for (int k = 0; k < 16; ++k) n += keys[k] < x;
  return n;
}
static inline uint32_t passed_i64(const int64_t *keys, int64_t x) {
  uint32_t n = 0;
  for (int k = 0; k < 16; ++k) n += keys[k] < x;
  return n;
}

#include "kernel/tree/tree.tmpl.c"

size_t hy__tree_scratch_bytes(const hy__forest *f) {
  return (f->single ? f->n_targets : 0) * HY__TREE_ROWS * sizeof(double) + leaf_bytes(f) +
         HY__TREE_ROWS * (row_bytes(f) + f->n_slots + 8);
}
