/* SPDX-License-Identifier: Apache-2.0
 * The compound functions in doubles, without cancellation where it would cost digits. */
#ifndef HY_KERNEL_UNARY_REAL_FORMS_H
#define HY_KERNEL_UNARY_REAL_FORMS_H

#include <math.h>

#include "base/base.h"

#define REAL static inline __attribute__((always_inline, unused)) double

REAL real_elu(double x, double alpha) { return x < 0.0 ? alpha * (hy__exp(x) - 1.0) : x; }
REAL real_selu(double x, double alpha, double gamma) { return gamma * real_elu(x, alpha); }
REAL real_celu(double x, double alpha) { return x < 0.0 ? alpha * (hy__exp(x / alpha) - 1.0) : x; }
/* x tanh(ln(1 + e^x)) with u = e^x: the tanh is (u^2 + 2u) / (u^2 + 2u + 2). */
REAL real_mish(double x) {
  double u = hy__exp(x < 30.0 ? x : 30.0), w = u * (u + 2.0);
  return x * (w / (w + 2.0));
}
/* max(x, 0) + ln(1 + e^-|x|), the logarithm corrected for the rounding of 1 + u. */
REAL real_softplus(double x) {
  double u = hy__exp(-fabs(x)), one_u = 1.0 + u;
  double log1 = one_u == 1.0 ? u : hy__ln(one_u) * (u / (one_u - 1.0));
  return (x > 0.0 ? x : 0.0) + log1;
}
REAL real_sigmoid(double x) { return 1.0 / (1.0 + hy__exp(-x)); }

#undef REAL

#endif
