/* SPDX-License-Identifier: Apache-2.0
 * bfloat16, the upper half of a float32: rounded to nearest even, NaN kept quiet. */
#ifndef HY_BASE_BFLOAT16_H
#define HY_BASE_BFLOAT16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t hy__float_to_bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 : rounded);
}

static inline float hy__bf16_to_float(uint16_t b) {
  const uint32_t bits = (uint32_t)b << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Floats in place to the nearest that a bfloat16 holds. */
static inline void hy__bf16_round(float *x, size_t n) {
  for (size_t i = 0; i < n; ++i) x[i] = hy__bf16_to_float(hy__float_to_bf16(x[i]));
}

#endif
