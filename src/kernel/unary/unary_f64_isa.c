/* SPDX-License-Identifier: Apache-2.0
 * Element-wise functions of float64, compiled once per level: base/real.h where it has the
 * function, else the C library's. They are loops that the compiler may vectorise; no operation is
 * fused. */
#include <math.h>

#include "kernel/kernel_isa.h"
#include "kernel/simd/control.h"
#include "kernel/unary/real_forms.h"
#include "kernel/unary/unary.h"

#define LOOP(name, flush, expression)                                                              \
  static void name(const double *x, double *y, size_t n, double a, double b) {                     \
    unsigned saved = flush ? control_flush() : 0;                                                  \
    (void)a, (void)b;                                                                              \
    for (size_t i = 0; i < n; ++i) {                                                               \
      const double v = x[i];                                                                       \
      y[i] = (expression);                                                                         \
    }                                                                                              \
    if (flush) control_restore(saved);                                                             \
  }

static inline double at_least(double x, double low) { return x < low ? low : x; } /* NaN stays */
static inline double at_most(double x, double high) { return x > high ? high : x; }

static inline double gelu_of(double x) { return 0.5 * x * (1.0 + erf(x * 0.70710678118654752)); }
static inline double gelu_tanh_of(double x) {
  return 0.5 * x * (1.0 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
}

LOOP(neg, 0, -v)
LOOP(absolute, 0, fabs(v))
LOOP(square_root, 0, sqrt(v))
LOOP(reciprocal, 0, 1.0 / v)
LOOP(floor_of, 0, floor(v))
LOOP(ceil_of, 0, ceil(v))
LOOP(round_of, 0, rint(v))
LOOP(sign, 0, v > 0.0 ? 1.0 : v < 0.0 ? -1.0 : v)
LOOP(relu, 0, at_least(v, 0.0))
LOOP(leaky_relu, 0, v < 0.0 ? v * a : v)
LOOP(clip, 0, at_most(at_least(v, a), b))
LOOP(affine, 0, v *a + b)
LOOP(hard_sigmoid, 0, at_most(at_least(v *a + b, 0.0), 1.0))
LOOP(hard_swish, 0, v *at_most(at_least(v *(1.0 / 6.0) + 0.5, 0.0), 1.0))
LOOP(softsign, 0, v / (1.0 + fabs(v)))
LOOP(thresholded_relu, 0, v > a ? v : 0.0)
LOOP(exponential, 1, hy__exp(v))
LOOP(tanh_of, 1, tanh(v))
LOOP(sigmoid, 1, real_sigmoid(v))
LOOP(erf_of, 1, erf(v))
LOOP(gelu, 1, gelu_of(v))
LOOP(gelu_tanh, 1, gelu_tanh_of(v))
LOOP(elu, 0, real_elu(v, a))
LOOP(selu, 0, real_selu(v, a, b))
LOOP(celu, 0, real_celu(v, a))
LOOP(swish, 1, v *real_sigmoid(a *v))
LOOP(mish, 0, real_mish(v))
LOOP(softplus, 0, real_softplus(v))
LOOP(logarithm, 0, hy__ln(v))
LOOP(sine, 0, hy__sin(v))
LOOP(cosine, 0, hy__cos(v))

extern const hy__unary_f64 HY_ISA_NAME(hy__unary_f64);
const hy__unary_f64 HY_ISA_NAME(hy__unary_f64) = {
    .fn = {
        [HY__UNARY_NEG] = neg,
        [HY__UNARY_ABS] = absolute,
        [HY__UNARY_SQRT] = square_root,
        [HY__UNARY_RECIPROCAL] = reciprocal,
        [HY__UNARY_FLOOR] = floor_of,
        [HY__UNARY_CEIL] = ceil_of,
        [HY__UNARY_ROUND] = round_of,
        [HY__UNARY_SIGN] = sign,
        [HY__UNARY_RELU] = relu,
        [HY__UNARY_LEAKY_RELU] = leaky_relu,
        [HY__UNARY_CLIP] = clip,
        [HY__UNARY_AFFINE] = affine,
        [HY__UNARY_HARD_SIGMOID] = hard_sigmoid,
        [HY__UNARY_HARD_SWISH] = hard_swish,
        [HY__UNARY_SOFTSIGN] = softsign,
        [HY__UNARY_THRESHOLDED_RELU] = thresholded_relu,
        [HY__UNARY_EXP] = exponential,
        [HY__UNARY_TANH] = tanh_of,
        [HY__UNARY_SIGMOID] = sigmoid,
        [HY__UNARY_ERF] = erf_of,
        [HY__UNARY_GELU] = gelu,
        [HY__UNARY_GELU_TANH] = gelu_tanh,
        [HY__UNARY_ELU] = elu,
        [HY__UNARY_SELU] = selu,
        [HY__UNARY_CELU] = celu,
        [HY__UNARY_SWISH] = swish,
        [HY__UNARY_MISH] = mish,
        [HY__UNARY_SOFTPLUS] = softplus,
        [HY__UNARY_LOG] = logarithm,
        [HY__UNARY_SIN] = sine,
        [HY__UNARY_COS] = cosine,
    }};
