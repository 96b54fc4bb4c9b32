/* SPDX-License-Identifier: Apache-2.0
 * Element-wise functions of float32 over the lanes of the vector header that was included before.
 * Parameter: HY_KERNEL, the exported structure's name. The frequent activations have vector forms;
 * the rest goes through doubles with base/real.h, in loops that the compiler vectorises, and
 * rounds once. */
#include <math.h>

#include "kernel/simd/control.h"
#include "kernel/simd/math_f32.h"
#include "kernel/unary/unary.h"

#define VECTOR(name, flush, expression)                                                            \
  HY_INLINE vf name##_lanes(vf x, vf a, vf b) {                                                    \
    (void)a, (void)b;                                                                              \
    return expression;                                                                             \
  }                                                                                                \
  static void name(const float *x, float *y, size_t n, float alpha, float beta) {                  \
    const vf a = v_set(alpha), b = v_set(beta);                                                    \
    unsigned saved = flush ? control_flush() : 0;                                                  \
    size_t i = 0;                                                                                  \
    for (; i + HY_VL <= n; i += HY_VL) v_store(y + i, name##_lanes(v_load(x + i), a, b));          \
    if (i < n) v_store_n(y + i, name##_lanes(v_load_n(x + i, n - i), a, b), n - i);                \
    if (flush) control_restore(saved);                                                             \
  }

HY_INLINE vf clamp01(vf x) { return v_min(v_set(1.0f), v_max(v_set(0.0f), x)); }

HY_INLINE vf sign_of(vf x) {
  vf zero = v_set(0.0f);
  vf up = v_pick(v_lt(zero, x), v_set(1.0f), x); /* zeros and NaN stay themselves */
  return v_pick(v_lt(x, zero), v_set(-1.0f), up);
}

HY_INLINE vf gelu_of(vf x) {
  vf half = v_mul(x, v_set(0.5f));
  return v_fma(half, m_erf(v_mul(x, v_set(0.707106781f))), half);
}

HY_INLINE vf gelu_tanh_of(vf x) {
  vf inner = v_mul(x, v_fma(v_mul(x, x), v_set(0.0356774081f), v_set(0.797884561f)));
  vf half = v_mul(x, v_set(0.5f));
  return v_fma(half, m_tanh(inner), half);
}

VECTOR(neg, 0, v_neg(x))
VECTOR(absolute, 0, v_abs(x))
VECTOR(square_root, 0, v_sqrt(x))
VECTOR(reciprocal, 0, v_div(v_set(1.0f), x))
VECTOR(floor_of, 0, v_floor(x))
VECTOR(ceil_of, 0, v_ceil(x))
VECTOR(round_of, 0, v_rint(x))
VECTOR(sign, 0, sign_of(x))
VECTOR(relu, 0, v_max(v_set(0.0f), x))
VECTOR(leaky_relu, 0, v_pick(v_lt(x, v_set(0.0f)), v_mul(x, a), x))
VECTOR(clip, 0, v_min(b, v_max(a, x)))
VECTOR(affine, 0, v_add(v_mul(x, a), b))
VECTOR(hard_sigmoid, 0, clamp01(v_add(v_mul(x, a), b)))
VECTOR(hard_swish, 0, v_mul(x, clamp01(v_add(v_mul(x, v_set(1.0f / 6.0f)), v_set(0.5f)))))
VECTOR(softsign, 0, v_div(x, v_add(v_set(1.0f), v_abs(x))))
VECTOR(thresholded_relu, 0, v_pick(v_lt(a, x), x, v_set(0.0f)))
VECTOR(exponential, 1, m_exp(x))
VECTOR(tanh_of, 1, m_tanh(x))
VECTOR(sigmoid, 1, m_sigmoid(x))
VECTOR(erf_of, 1, m_erf(x))
VECTOR(gelu, 1, gelu_of(x))
VECTOR(gelu_tanh, 1, gelu_tanh_of(x))
VECTOR(swish, 1, v_mul(x, m_sigmoid(v_mul(x, a))))
#undef VECTOR

#define THROUGH_DOUBLE(name, expression)                                                           \
  static void name(const float *x, float *y, size_t n, float alpha, float beta) {                  \
    const double a = (double)alpha, b = (double)beta;                                              \
    (void)a, (void)b;                                                                              \
    for (size_t i = 0; i < n; ++i) {                                                               \
      const double v = (double)x[i];                                                               \
      y[i] = (float)(expression);                                                                  \
    }                                                                                              \
  }
#include "kernel/unary/real_forms.h"

THROUGH_DOUBLE(elu, real_elu(v, a))
THROUGH_DOUBLE(selu, real_selu(v, a, b))
THROUGH_DOUBLE(celu, real_celu(v, a))
THROUGH_DOUBLE(mish, real_mish(v))
THROUGH_DOUBLE(softplus, real_softplus(v))
THROUGH_DOUBLE(logarithm, hy__ln(v))
THROUGH_DOUBLE(sine, hy__sin(v))
THROUGH_DOUBLE(cosine, hy__cos(v))
#undef THROUGH_DOUBLE

extern const hy__unary_f32 HY_KERNEL;
const hy__unary_f32 HY_KERNEL = {.fn = {
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
