/* SPDX-License-Identifier: Apache-2.0
 * Floats of 16 bits and less as bit patterns: to float32 exactly, and from double with one
 * rounding, to even. For Cast and the quantised operators. */
#ifndef HY_OP_NARROW_H
#define HY_OP_NARROW_H

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

/* The two that occur in bulk; float32 to them rounds once, too. */
float hy__half_to_float(uint16_t h);
uint16_t hy__float_to_half(float value);
float hy__bf16_to_float(uint16_t b);
uint16_t hy__float_to_bf16(float value);

/* Element i of any number type or bool as a double (64-bit integers round). */
double hy__narrow_value(const hy_tensor *t, size_t i);
/* The sign-extended or plain value of a 4- or 2-bit integer in a byte. */
int32_t hy__narrow_int(hy_dtype dtype, uint8_t byte);

#endif
