/* SPDX-License-Identifier: Apache-2.0
 * The product of bytes, scalar: four lanes in the compiler's vector extension, pairs of 16 bits. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HY_VL     4
#define HY_GROUP  2
#define HY_INLINE static inline __attribute__((always_inline, unused))
typedef uint32_t vi __attribute__((vector_size(16)));
typedef int32_t vs __attribute__((vector_size(16)));
typedef int16_t left_element;

HY_INLINE vi i_zero(void) { return (vi){0}; }
HY_INLINE vi i_load(const void *p) {
  vi v;
  memcpy(&v, p, sizeof v);
  return v;
}
HY_INLINE vi i_load_n(const int32_t *p, size_t n) {
  vi v = {0};
  memcpy(&v, p, n * sizeof *p);
  return v;
}
HY_INLINE void i_store(int32_t *p, vi v) { memcpy(p, &v, sizeof v); }
HY_INLINE void i_store_n(int32_t *p, vi v, size_t n) { memcpy(p, &v, n * sizeof *p); }
HY_INLINE vi i_set(const int16_t *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
  return (vi){x, x, x, x};
}
HY_INLINE vi i_add(vi a, vi b) { return a + b; }
HY_INLINE vi i_dot(vi sum, vi a, vi b) {
  const vs low = (((vs)(a << 16)) >> 16) * (((vs)(b << 16)) >> 16);
  const vs high = ((vs)a >> 16) * ((vs)b >> 16);
  return sum + (vi)low + (vi)high;
}

#define HY_KERNEL hy__integer_scalar
#define HY_ROWS   4
#define HY_TILE   "4x8"
#include "kernel/integer/integer.tmpl.c"
