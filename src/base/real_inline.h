/* SPDX-License-Identifier: Apache-2.0
 * exp, ln, sin, cos and atan as straight-line code: selects in place of branches, bit casts by
 * memcpy, no fused multiply-add, so that a loop over lanes vectorises and gives the scalar's bits
 * on every ISA. The polynomials are Taylor's (coefficients are reciprocals of integers, correctly
 * rounded by the compiler), cut where the rest is under 2^-57 of the result. Include base/real.h in
 * place of this file. */
#ifndef HY_BASE_REAL_INLINE_H
#define HY_BASE_REAL_INLINE_H

#include <stdint.h>
#include <string.h>

static inline __attribute__((always_inline)) uint64_t hy__real_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline __attribute__((always_inline)) double hy__real_from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

#define HY__REAL_NAN hy__real_from_bits(0x7ff8000000000000u)
#define HY__REAL_INF hy__real_from_bits(0x7ff0000000000000u)
/* 1.5 * 2^52: adding it rounds a double of magnitude under 2^51 to an integer, whose two's
 * complement stands in the low bits; subtracting it again gives the integer as a double. */
#define HY__REAL_ROUND 6755399441055744.0

/* e^x. Error at most 0.9 ULP (1 in the denormal range). -inf: 0, +inf and over 709.78: inf, NaN:
 * NaN. */
static inline __attribute__((always_inline)) double hy__exp(double x) {
  /* ln 2 in two parts; the first has 32 trailing zero bits, so its product with |k| < 2^11 is
   * exact. */
  const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  double y = x > 710.0 ? 710.0 : x;
  y = y < -746.0 ? -746.0 : y;
  double k = (y * 1.44269504088896340736 + HY__REAL_ROUND) - HY__REAL_ROUND;
  double high = y - k * ln2_high, low = k * ln2_low;
  double r = high - low;
  double r_low = (high - r) - low; /* what the rounding of r lost */
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  double e = 1.0 + (r + (r * r * p + (r_low + r_low * r)));
  /* 2^k in two exact factors, so that a denormal result is rounded once. */
  double k1 = (k * 0.5 + HY__REAL_ROUND) - HY__REAL_ROUND, k2 = k - k1;
  double s1 = hy__real_from_bits(hy__real_bits(k1 + (HY__REAL_ROUND + 1023.0)) << 52);
  double s2 = hy__real_from_bits(hy__real_bits(k2 + (HY__REAL_ROUND + 1023.0)) << 52);
  double result = e * s1 * s2;
  return x != x ? HY__REAL_NAN : result;
}

/* Natural logarithm. Error at most 0.9 ULP. 0 and -0: -inf, negative and NaN: NaN, +inf: +inf. */
static inline __attribute__((always_inline)) double hy__ln(double x) {
  const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  const uint64_t sqrt_half = 0x3fe6a09e667f3bcdu, exponent_bias = (uint64_t)1024 << 52;
  int tiny = x < 0x1p-1022;
  double y = tiny ? x * 0x1p54 : x;
  double k_tiny = tiny ? 54.0 : 0.0;
  /* x = m * 2^k with m in [sqrt(1/2), sqrt(2)); the bias keeps the shift a logical one, for AVX2.
   */
  uint64_t bits = hy__real_bits(y);
  uint64_t shifted = bits - sqrt_half + exponent_bias;
  uint64_t k_biased = shifted >> 52;
  double k = hy__real_from_bits(k_biased | 0x4330000000000000u) - (0x1p52 + 1024.0) - k_tiny;
  double f = hy__real_from_bits(bits - (k_biased << 52) + exponent_bias) - 1.0;
  /* ln(1 + f) = 2 atanh(s) = f - f^2/2 + s (f^2/2 + R), s = f / (2 + f), R = 2 z/3 + 2 z^2/5 + ...
   */
  double s = f / (2.0 + f), z = s * s;
  double p = 2.0 / 23.0;
  p = p * z + 2.0 / 21.0;
  p = p * z + 2.0 / 19.0;
  p = p * z + 2.0 / 17.0;
  p = p * z + 2.0 / 15.0;
  p = p * z + 2.0 / 13.0;
  p = p * z + 2.0 / 11.0;
  p = p * z + 2.0 / 9.0;
  p = p * z + 2.0 / 7.0;
  p = p * z + 2.0 / 5.0;
  p = p * z + 2.0 / 3.0;
  double half_square = 0.5 * f * f;
  double inner = s * (half_square + p * z) + k * ln2_low;
  double result = k * ln2_high - ((half_square - inner) - f);
  result = x == HY__REAL_INF ? x : result;
  result = x == 0.0 ? -HY__REAL_INF : result;
  return x >= 0.0 ? result : HY__REAL_NAN;
}

/* x - n pi/2 with n the nearest integer, as r + r_low; the bits of `quadrant` end in n mod 4. pi/2
 * stands in parts of 26 bits and n in two, so that each product is exact; sums carry their rounding
 * errors. */
typedef struct hy__real_angle {
  double r, r_low;
  uint64_t quadrant;
} hy__real_angle;

static inline __attribute__((always_inline)) void hy__real_less(double *sum, double *lost,
                                                                double term) {
  double s = *sum - term, back = s - *sum;
  *lost += (*sum - (s - back)) - (term + back);
  *sum = s;
}

static inline __attribute__((always_inline)) hy__real_angle hy__real_reduce(double x) {
  const double p1 = 0x1.921fb5p+0, p2 = 0x1.110b46p-26, p3 = 0x1.1a6263p-54;
  const double p4 = 0x1.8a2e03p-81, p5 = 0x1.c1cd128p-107, p6 = 0x1.024e088p-135;
  double rounded = x * 0.63661977236758134308 + HY__REAL_ROUND;
  double n = rounded - HY__REAL_ROUND;
  double n_high = hy__real_from_bits(hy__real_bits(n) & 0xfffffffff8000000u), n_low = n - n_high;
  double sum = x, lost = 0.0;
  hy__real_less(&sum, &lost, n_high * p1);
  hy__real_less(&sum, &lost, n_low * p1);
  hy__real_less(&sum, &lost, n_high * p2);
  hy__real_less(&sum, &lost, n_low * p2);
  hy__real_less(&sum, &lost, n_high * p3);
  hy__real_less(&sum, &lost, n_low * p3);
  hy__real_less(&sum, &lost, n_high * p4);
  hy__real_less(&sum, &lost, n_low * p4);
  hy__real_less(&sum, &lost, n_high * p5);
  hy__real_less(&sum, &lost, n_low * p5);
  hy__real_less(&sum, &lost, n_high * p6);
  double r = sum + lost;
  return (hy__real_angle){r, lost - (r - sum), hy__real_bits(rounded)};
}

/* sin(r + r_low) and cos(r + r_low) for |r| <= pi/4. */
static inline __attribute__((always_inline)) double hy__real_sin_part(double r, double r_low) {
  double z = r * r, cube = z * r;
  double p = -1.0 / 121645100408832000.0;
  p = p * z + 1.0 / 355687428096000.0;
  p = p * z - 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z - 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  return r - ((z * (0.5 * r_low - cube * p) - r_low) + cube * (1.0 / 6.0));
}

static inline __attribute__((always_inline)) double hy__real_cos_part(double r, double r_low) {
  double z = r * r, half = 0.5 * z, one_less = 1.0 - half;
  double p = 1.0 / 6402373705728000.0;
  p = -p * z + 1.0 / 20922789888000.0;
  p = p * z - 1.0 / 87178291200.0;
  p = p * z + 1.0 / 479001600.0;
  p = p * z - 1.0 / 3628800.0;
  p = p * z + 1.0 / 40320.0;
  p = p * z - 1.0 / 720.0;
  p = p * z + 1.0 / 24.0;
  return one_less + (((1.0 - one_less) - half) + (z * z * p - r * r_low));
}

static inline __attribute__((always_inline)) double hy__real_sine(double x, uint64_t quarters) {
  const double limit = 0x1p50;
  hy__real_angle a = hy__real_reduce(x);
  uint64_t quadrant = a.quadrant + quarters;
  double s = hy__real_sin_part(a.r, a.r_low), c = hy__real_cos_part(a.r, a.r_low);
  double value = (quadrant & 1) ? c : s;
  value = (quadrant & 2) ? -value : value;
  int inside = x < limit && x > -limit;
  return inside ? value : HY__REAL_NAN;
}

/* Error at most 0.9 ULP for |x| < 2^50. From there on, where neighbouring doubles lie a good part
 * of a period apart, and for infinities and NaN: NaN. sin(-0) is -0. */
static inline __attribute__((always_inline)) double hy__sin(double x) {
  double value = hy__real_sine(x, 0);
  return x == 0.0 ? x : value;
}

static inline __attribute__((always_inline)) double hy__cos(double x) {
  return hy__real_sine(x, 1);
}

/* Arc tangent. Error at most 0.9 ULP; the infinities give pi/2 with their sign, -0 gives -0. |x| is
 * turned by the nearest of the angles of 0, 1/2, 1, 3/2 and infinity, whose two parts are the
 * correctly rounded angle and what that lacks; then a Taylor polynomial for |r| <= 7/16. */
static inline __attribute__((always_inline)) double hy__atan(double x) {
  double t = x < 0.0 ? -x : x;
  double above = t, below = 1.0, high = 0.0, low = 0.0;
  above = t >= 0.4375 ? 2.0 * t - 1.0 : above;
  below = t >= 0.4375 ? 2.0 + t : below;
  high = t >= 0.4375 ? 0x1.dac670561bb4fp-2 : high;
  low = t >= 0.4375 ? 0x1.a2b7f222f65e2p-56 : low;
  above = t >= 0.6875 ? t - 1.0 : above;
  below = t >= 0.6875 ? t + 1.0 : below;
  high = t >= 0.6875 ? 0x1.921fb54442d18p-1 : high;
  low = t >= 0.6875 ? 0x1.1a62633145c07p-55 : low;
  above = t >= 1.1875 ? t - 1.5 : above;
  below = t >= 1.1875 ? 1.0 + 1.5 * t : below;
  high = t >= 1.1875 ? 0x1.f730bd281f69bp-1 : high;
  low = t >= 1.1875 ? 0x1.007887af0cbbdp-56 : low;
  above = t >= 2.4375 ? -1.0 : above;
  below = t >= 2.4375 ? t : below;
  high = t >= 2.4375 ? 0x1.921fb54442d18p+0 : high;
  low = t >= 2.4375 ? 0x1.1a62633145c07p-54 : low;
  double r = above / below, z = r * r;
  double p = 1.0 / 45.0;
  p = 1.0 / 43.0 - p * z;
  p = 1.0 / 41.0 - p * z;
  p = 1.0 / 39.0 - p * z;
  p = 1.0 / 37.0 - p * z;
  p = 1.0 / 35.0 - p * z;
  p = 1.0 / 33.0 - p * z;
  p = 1.0 / 31.0 - p * z;
  p = 1.0 / 29.0 - p * z;
  p = 1.0 / 27.0 - p * z;
  p = 1.0 / 25.0 - p * z;
  p = 1.0 / 23.0 - p * z;
  p = 1.0 / 21.0 - p * z;
  p = 1.0 / 19.0 - p * z;
  p = 1.0 / 17.0 - p * z;
  p = 1.0 / 15.0 - p * z;
  p = 1.0 / 13.0 - p * z;
  p = 1.0 / 11.0 - p * z;
  p = 1.0 / 9.0 - p * z;
  p = 1.0 / 7.0 - p * z;
  p = 1.0 / 5.0 - p * z;
  p = 1.0 / 3.0 - p * z;
  double value = high + (r - (r * z * p - low));
  value = x < 0.0 ? -value : value;
  value = x == 0.0 ? x : value;
  return x != x ? HY__REAL_NAN : value;
}

#endif
