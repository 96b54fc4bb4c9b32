/* SPDX-License-Identifier: Apache-2.0
 * Arithmetic on sizes that come from outside: true on success, false on overflow (*out then
 * untouched). */
#ifndef HY_BASE_CHECKED_H
#define HY_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool hy__add(size_t a, size_t b, size_t *out) {
  size_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return false;
  *out = sum;
  return true;
}

static inline bool hy__mul(size_t a, size_t b, size_t *out) {
  size_t product;
  if (__builtin_mul_overflow(a, b, &product)) return false;
  *out = product;
  return true;
}

static inline bool hy__add_i64(int64_t a, int64_t b, int64_t *out) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return false;
  *out = sum;
  return true;
}

static inline bool hy__mul_i64(int64_t a, int64_t b, int64_t *out) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return false;
  *out = product;
  return true;
}

/* Rounds up to a multiple of align, a power of two. */
static inline bool hy__round_up(size_t value, size_t align, size_t *out) {
  size_t sum;
  if (__builtin_add_overflow(value, align - 1, &sum)) return false;
  *out = sum & ~(align - 1);
  return true;
}

/* Elements and bytes of a shape: the one place of the tree where dims become a size. Refuses
 * negative dims and overflow; element_bytes 0 gives the number of elements. */
bool hy__shape_bytes(const int64_t *dims, int32_t rank, size_t element_bytes, size_t *out);

#endif
