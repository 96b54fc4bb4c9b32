/* SPDX-License-Identifier: Apache-2.0
 * Floats of 16 bits and less as bit patterns: to float32 exactly, and from double with one
 * rounding, to even. For Cast and the quantised operators. */
#ifndef HY_OP_NARROW_H
#define HY_OP_NARROW_H

#include <string.h>

#include "op/rule.h"

/* f16, bf16, the four float8 kinds, f4e2m1 and f8e8m0. */
bool hy__narrow_is(hy_dtype dtype);
float hy__narrow_decode(hy_dtype dtype, uint16_t code);
/* Past the largest number: that number where `saturate` (float8 kinds; f4e2m1 always), else
 * infinity, or NaN where the kind has none. Not for f8e8m0. */
uint16_t hy__narrow_encode(hy_dtype dtype, double value, bool saturate);

typedef enum hy__narrow_round {
  HY__NARROW_UP,
  HY__NARROW_DOWN,
  HY__NARROW_NEAREST
} hy__narrow_round;
/* f8e8m0: the power of two at the magnitude of a float32. */
uint8_t hy__narrow_power(float value, bool saturate, hy__narrow_round round);

static inline float hy__narrow_float_of(uint32_t bits) {
  float out;
  memcpy(&out, &bits, sizeof out);
  return out;
}

static inline uint32_t hy__narrow_bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* The two that occur in bulk, inline and without branches, so that loops over them are vectorised;
 * float32 to them rounds once, too. */
static inline float hy__half_to_float(uint16_t h) {
  const uint32_t magnitude = h & 0x7fffu;
  uint32_t bits = hy__narrow_bits_of(hy__narrow_float_of(magnitude << 13) * 0x1p112f);
  bits |= magnitude >= 0x7c00 ? 0x7f800000 : 0;
  return hy__narrow_float_of(bits | (uint32_t)(h & 0x8000) << 16);
}

static inline uint16_t hy__float_to_half(float value) {
  const uint32_t bits = hy__narrow_bits_of(value), magnitude = bits & 0x7fffffff;
  const uint32_t normal = (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13;
  /* below the least normal half: adding 1/2 leaves units of 2^-24 in the low bits, rounded */
  const uint32_t small = hy__narrow_bits_of(hy__narrow_float_of(magnitude) + 0.5f) - 0x3f000000;
  uint32_t code = magnitude < 0x38800000 ? small : normal;
  code = magnitude >= 0x47800000 ? 0x7c00 : code; /* 65536 and more */
  code = magnitude > 0x7f800000 ? 0x7e00 : code;
  return (uint16_t)(bits >> 16 & 0x8000) | (uint16_t)code;
}

/* Element i of any number type or bool as a double (64-bit integers round). */
double hy__narrow_value(const hy_tensor *t, size_t i);
/* The sign-extended or plain value of a 4- or 2-bit integer in a byte. */
int32_t hy__narrow_int(hy_dtype dtype, uint8_t byte);

#endif
