/* SPDX-License-Identifier: Apache-2.0
 * Forests, 16 rows to a vector; few rows by bands of 64 trees, whose slots are looked up 64 at a
 * time. No such machine has timed the bounds yet: they are AVX2's, by half the width. */
#include <arm_neon.h>

#include "kernel/tree/leaves.h"

#define BYTES      16
#define GROUPS     4
#define FEW        4
#define HY_KERNEL  hy__tree_neon
#define BAND_SLOTS 256
#define BAND_ROWS  12

typedef int8x16_t vec;

static inline vec vec_load(const int8_t *p) { return vld1q_s8(p); }
static inline void vec_store(uint8_t *p, vec v) { vst1q_u8(p, vreinterpretq_u8_s8(v)); }
static inline vec vec_set(int8_t byte) { return vdupq_n_s8(byte); }
static inline vec vec_add(vec a, vec b) { return vaddq_s8(a, b); }
static inline vec vec_xor(vec a, vec b) { return veorq_s8(a, b); }
static inline vec vec_cut(vec leaf, vec first, vec value, vec key, vec place) {
  const uint8x16_t greater = vcgtq_s8(value, key); /* does not wait for the leaf */
  return vbslq_s8(vandq_u8(vcgeq_s8(leaf, first), greater), place, leaf);
}

/* A comparison's lanes are 0 or all ones, which is -1. */
static inline uint32_t passed_i32(const int32_t *keys, int32_t x) {
  const int32x4_t v = vdupq_n_s32(x);
  const uint32x4_t a = vaddq_u32(vcgtq_s32(v, vld1q_s32(keys)), vcgtq_s32(v, vld1q_s32(keys + 4)));
  const uint32x4_t b =
      vaddq_u32(vcgtq_s32(v, vld1q_s32(keys + 8)), vcgtq_s32(v, vld1q_s32(keys + 12)));
  return 0 - vaddvq_u32(vaddq_u32(a, b));
}
static inline uint32_t passed_i64(const int64_t *keys, int64_t x) {
  const int64x2_t v = vdupq_n_s64(x);
  uint64x2_t n = vdupq_n_u64(0);
  for (int k = 0; k < 16; k += 2) n = vsubq_u64(n, vcgtq_s64(v, vld1q_s64(keys + k)));
  return (uint32_t)vaddvq_u64(n);
}

/* Sixty-four slots to a part. */
typedef struct look {
  int8x16x4_t part[BAND_SLOTS / 64];
} look;

static inline look look_of(const int8_t *row, size_t n_slots) {
  (void)n_slots; /* a row has at least 256 bytes */
  look t;
  for (int k = 0; k < BAND_SLOTS / 64; ++k) {
    const int8_t *from = row + 64 * k;
    t.part[k] = (int8x16x4_t){
        {vld1q_s8(from), vld1q_s8(from + 16), vld1q_s8(from + 32), vld1q_s8(from + 48)}};
  }
  return t;
}

/* A place of another part becomes one above 63, for which the lookup gives 0. */
static inline vec look_up(const look *t, vec at, const int parts) {
  const uint8x16_t place = vreinterpretq_u8_s8(at);
  vec found = vqtbl4q_s8(t->part[0], place);
  for (int k = 1; k < parts / 4; ++k)
    found = vorrq_s8(found, vqtbl4q_s8(t->part[k], veorq_u8(place, vdupq_n_u8((uint8_t)(64 * k)))));
  return found;
}

#include "kernel/tree/tree.tmpl.c"
