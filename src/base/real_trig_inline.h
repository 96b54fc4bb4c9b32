/* SPDX-License-Identifier: Apache-2.0
 * What is made of exp, ln, sin, cos and atan: tan, asin, acos, sinh, cosh, tanh, log10. The same
 * rules as real_inline.h: + - * / and square roots, selects, no fused multiply-add. Include
 * base/real.h in place of this file. */
#ifndef HY_BASE_REAL_TRIG_INLINE_H
#define HY_BASE_REAL_TRIG_INLINE_H

#include "base/real_inline.h"

/* Error at most 2.2 ULP for |x| < 2^50; from there on and for infinities and NaN: NaN. */
static inline __attribute__((always_inline)) double hy__tan(double x) {
  const double limit = 0x1p50;
  hy__real_angle a = hy__real_reduce(x);
  double s = hy__real_sin_part(a.r, a.r_low), c = hy__real_cos_part(a.r, a.r_low);
  double above = (a.quadrant & 1) ? -c : s, below = (a.quadrant & 1) ? s : c;
  double value = x < limit && x > -limit ? above / below : HY__REAL_NAN;
  return x == 0.0 ? x : value;
}

/* Error at most 2.6 ULP; NaN outside -1..1. */
static inline __attribute__((always_inline)) double hy__asin(double x) {
  double cosine = __builtin_sqrt((1.0 - x) * (1.0 + x));
  return hy__atan(x / cosine);
}

/* Error at most 2.5 ULP; NaN outside -1..1. */
static inline __attribute__((always_inline)) double hy__acos(double x) {
  return 2.0 * hy__atan(__builtin_sqrt((1.0 - x) / (1.0 + x)));
}

/* sinh(x) for |x| <= 1. */
static inline __attribute__((always_inline)) double hy__real_sinh_part(double x) {
  double z = x * x, p = 1.0 / 51090942171709440000.0;
  p = p * z + 1.0 / 121645100408832000.0;
  p = p * z + 1.0 / 355687428096000.0;
  p = p * z + 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z + 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z + 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  p = p * z + 1.0 / 6.0;
  return x + x * z * p;
}

/* e^a / 2 and its reciprocal's quarter, added or subtracted; a >= 0. Over 709, where e^a would
 * overflow before its half does, the root's square. */
static inline __attribute__((always_inline)) double hy__real_half_exp(double a, double sign) {
  int large = a > 709.0;
  double e = hy__exp(large ? a * 0.5 : a);
  return large ? 0.5 * e * e : 0.5 * (e + sign / e);
}

/* Error at most 2 ULP; infinite where it overflows. */
static inline __attribute__((always_inline)) double hy__sinh(double x) {
  double a = x < 0.0 ? -x : x, far = hy__real_half_exp(a, -1.0);
  double value = a > 1.0 ? x < 0.0 ? -far : far : hy__real_sinh_part(x);
  return x == x ? value : HY__REAL_NAN;
}

/* The same. */
static inline __attribute__((always_inline)) double hy__cosh(double x) {
  double value = hy__real_half_exp(x < 0.0 ? -x : x, 1.0);
  return x == x ? value : HY__REAL_NAN;
}

/* Error at most 2.5 ULP. */
static inline __attribute__((always_inline)) double hy__tanh(double x) {
  double a = x < 0.0 ? -x : x, s = hy__real_sinh_part(x);
  double far = 1.0 - 2.0 / (hy__exp(a > 20.0 ? 40.0 : 2.0 * a) + 1.0);
  double value = a > 1.0 ? x < 0.0 ? -far : far : s / __builtin_sqrt(1.0 + s * s);
  return x == x ? value : HY__REAL_NAN;
}

/* Error at most 2.5 ULP; as hy__ln at the edges. */
static inline __attribute__((always_inline)) double hy__log10(double x) {
  return hy__ln(x) / 2.30258509299404568402;
}

#endif
