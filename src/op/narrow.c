/* SPDX-License-Identifier: Apache-2.0 */
/* Floats of 16 bits and less: see narrow.h. Each kind is a row of its exponent and fraction widths,
 * its bias, and the codes that end its range. */
#include "op/narrow.h"

#include <math.h>

#include "op/element.h"

typedef struct format {
  int exponent_bits, fraction_bits, bias;
  uint16_t max, over, nan; /* largest number; what lies beyond it; NaN. Without sign */
  bool has_inf, no_minus;  /* no_minus: NaN is the code of -0 */
} format;

static const format formats[HY_I2 + 1] = {
    [HY_F16] = {5, 10, 15, 0x7bff, 0x7c00, 0x7e00, true, false},
    [HY_BF16] = {8, 7, 127, 0x7f7f, 0x7f80, 0x7fc0, true, false},
    [HY_F8E4M3FN] = {4, 3, 7, 0x7e, 0x7f, 0x7f, false, false},
    [HY_F8E4M3FNUZ] = {4, 3, 8, 0x7f, 0x80, 0x80, false, true},
    [HY_F8E5M2] = {5, 2, 15, 0x7b, 0x7c, 0x7e, true, false},
    [HY_F8E5M2FNUZ] = {5, 2, 16, 0x7f, 0x80, 0x80, false, true},
    [HY_F4E2M1] = {2, 1, 1, 0x7, 0x7, 0x8, false, false},
};

bool hy__narrow_is(hy_dtype dtype) {
  return dtype == HY_F8E8M0 || (dtype <= HY_I2 && formats[dtype].exponent_bits != 0);
}

static float power_decode(uint8_t code) {
  if (code == 255) return NAN;
  return hy__narrow_float_of(code ? (uint32_t)code << 23 : 1u << 22);
}

float hy__narrow_decode(hy_dtype dtype, uint16_t code) {
  if (dtype == HY_F8E8M0) return power_decode((uint8_t)code);
  const format *f = &formats[dtype];
  const int width = f->exponent_bits + f->fraction_bits;
  const uint32_t sign = (uint32_t)(code >> width & 1) << 31;
  const uint32_t magnitude = code & ((1u << width) - 1), last = (1u << f->exponent_bits) - 1;
  const uint32_t exponent = magnitude >> f->fraction_bits;
  const uint32_t fraction = magnitude & ((1u << f->fraction_bits) - 1);
  if (f->no_minus && sign && !magnitude) return NAN;
  if (f->has_inf && exponent == last)
    return hy__narrow_float_of(sign | 0x7f800000 | fraction << (23 - f->fraction_bits));
  if (dtype == HY_F8E4M3FN && magnitude == f->nan) return hy__narrow_float_of(sign | 0x7fc00000);
  if (!exponent) { /* scaled in double: bf16's are denormal in float32, too */
    const double v = ldexp((double)fraction, 1 - f->bias - f->fraction_bits);
    return (float)(sign ? -v : v);
  }
  return hy__narrow_float_of(sign | (exponent + 127u - (uint32_t)f->bias) << 23 |
                             fraction << (23 - f->fraction_bits));
}

uint16_t hy__narrow_encode(hy_dtype dtype, double value, bool saturate) {
  const format *f = &formats[dtype];
  const int width = f->exponent_bits + f->fraction_bits;
  const uint32_t sign = signbit(value) ? 1u << width : 0;
  if (value != value) {
    return dtype == HY_F4E2M1 || f->no_minus ? f->nan : (uint16_t)(sign | f->nan);
  }
  const double magnitude = fabs(value);
  uint32_t code = f->max + 1u;
  if (magnitude < 0x1p200) {
    int exponent = magnitude > 0 ? ilogb(magnitude) : 1 - f->bias;
    if (exponent < 1 - f->bias) exponent = 1 - f->bias;
    const double units = rint(ldexp(magnitude, f->fraction_bits - exponent));
    const int64_t whole = ((int64_t)(exponent - (1 - f->bias)) << f->fraction_bits);
    if (whole + (int64_t)units <= f->max) code = (uint32_t)(whole + (int64_t)units);
  }
  if (code > f->max) {
    code = saturate ? f->max : f->over;
    if (f->no_minus && !saturate) return f->nan;
  }
  if (f->no_minus && !code) return 0;
  return (uint16_t)(sign | code);
}

uint8_t hy__narrow_power(float value, bool saturate, hy__narrow_round round) {
  const uint32_t bits = hy__narrow_bits_of(value);
  uint32_t exponent = bits >> 23 & 255;
  if (exponent == 255) return 255;
  bool up = false;
  if (round == HY__NARROW_UP) up = (bits & 0x7fffff) != 0;
  if (round == HY__NARROW_NEAREST) up = (bits & 0x400000) && ((bits & 0x3fffff) || exponent > 0);
  if (saturate && exponent == 254) up = false;
  return (uint8_t)(exponent + up);
}

int32_t hy__narrow_int(hy_dtype dtype, uint8_t byte) {
  switch (dtype) {
  case HY_U4: return byte & 15;
  case HY_I4: return (byte & 15) - ((byte & 8) << 1);
  case HY_U2: return byte & 3;
  default: return (byte & 3) - ((byte & 2) << 1);
  }
}

double hy__narrow_value(const hy_tensor *t, size_t i) {
  switch (t->dtype) {
  case HY_F16:
  case HY_BF16: return (double)hy__narrow_decode(t->dtype, ((const uint16_t *)t->data)[i]);
  case HY_U4:
  case HY_I4:
  case HY_U2:
  case HY_I2: return hy__narrow_int(t->dtype, ((const uint8_t *)t->data)[i]);
  default: break;
  }
  if (hy__narrow_is(t->dtype))
    return (double)hy__narrow_decode(t->dtype, ((const uint8_t *)t->data)[i]);
  return hy__element_real(t, (int64_t)i);
}
