/* SPDX-License-Identifier: Apache-2.0
 * exp, tanh, sigmoid and erf over the lanes of the vector header that was included before. The
 * coefficients are our own minimax fits in relative error (tools/fit/activations.py prints them
 * and their error). */
#ifndef HY_KERNEL_SIMD_MATH_F32_H
#define HY_KERNEL_SIMD_MATH_F32_H

/* e^x: x = n ln 2 + r, |r| <= ln 2 / 2, e^r = 1 + r + r^2 p(r). Clamped where float32 is 0 or
 * infinite. */
HY_INLINE vf m_exp(vf x) {
  const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to the nearest integer */
  vf bounded = v_min(v_set(89.0f), v_max(v_set(-104.0f), x));
  vf n = v_sub(v_add(v_mul(bounded, v_set(1.44269504f)), v_set(magic)), v_set(magic));
  vf r = v_fnma(n, v_set(0.693359375f), bounded);
  r = v_fnma(n, v_set(-2.12194440e-4f), r);
  vf p = v_set(0.00138131424f);
  p = v_fma(p, r, v_set(0.00836941879f));
  p = v_fma(p, r, v_set(0.041668456f));
  p = v_fma(p, r, v_set(0.166665152f));
  p = v_fma(p, r, v_set(0.49999994f));
  p = v_fma(v_mul(p, r), r, r);
  return v_scale(v_add(p, v_set(1.0f)), n);
}

/* tanh x = x p(x^2) / q(x^2), degrees 4 and 4; at the clamp the quotient is 1 in float32. */
typedef struct ratio {
  vf num, den;
} ratio;

/* The quotient for tanh(x / 2^half): the scale goes into the coefficients, so the bits are those of
 * the halved argument. */
HY_INLINE ratio m_tanh_ratio(vf x, int half) {
  const float s = half ? 0.25f : 1.0f, first = half ? 0.5f : 1.0f;
  vf z = v_mul(x, x);
  vf p = v_set(first * (s * s) * (s * s) * 1.331781e-08f);
  vf q = v_set((s * s) * (s * s) * 7.76150216e-07f);
  p = v_fma(p, z, v_set(first * s * s * s * 2.05825727e-05f));
  q = v_fma(q, z, v_set(s * s * s * 0.000328300317f));
  p = v_fma(p, z, v_set(first * s * s * 0.00349398027f));
  q = v_fma(q, z, v_set(s * s * 0.0258708689f));
  p = v_fma(p, z, v_set(first * s * 0.133796722f));
  q = v_fma(q, z, v_set(s * 0.467129886f));
  p = v_fma(p, z, v_set(first));
  q = v_fma(q, z, v_set(1.0f));
  return (ratio){v_mul(x, p), q};
}

HY_INLINE vf m_clamp(vf x, float bound) { return v_min(v_set(bound), v_max(v_set(-bound), x)); }

HY_INLINE vf m_tanh(vf x) {
  ratio t = m_tanh_ratio(m_clamp(x, 9.02f), 0);
  return m_clamp(v_div(t.num, t.den), 1.0f);
}

/* 1 / (1 + e^-x), accurate in relative terms down to the smallest normal number. */
HY_INLINE vf m_sigmoid(vf x) { return v_div(v_set(1.0f), v_add(v_set(1.0f), m_exp(v_neg(x)))); }

/* The gates' sigmoid, 1/2 + tanh(x/2)/2: absolute accuracy alone, but cheaper. As a quotient that
 * is twice as large: num / (2 den). */
HY_INLINE ratio m_gate_ratio(vf x) {
  ratio t = m_tanh_ratio(m_clamp(x, 18.04f), 1);
  return (ratio){v_add(t.den, t.num), t.den};
}

HY_INLINE vf m_gate(vf x) {
  ratio t = m_gate_ratio(x);
  return v_div(t.num, v_add(t.den, t.den));
}

/* erf x = x p(x^2) / q(x^2), degrees 5 and 5. */
HY_INLINE vf m_erf(vf x) {
  vf b = m_clamp(x, 3.92f);
  vf z = v_mul(b, b);
  vf p = v_set(2.05006177e-06f), q = v_set(3.80905185e-05f);
  p = v_fma(p, z, v_set(0.000284864858f));
  q = v_fma(q, z, v_set(0.00116241048f));
  p = v_fma(p, z, v_set(0.00376515882f));
  q = v_fma(q, z, v_set(0.0149683021f));
  p = v_fma(p, z, v_set(0.0527472757f));
  q = v_fma(q, z, v_set(0.114104986f));
  p = v_fma(p, z, v_set(0.190396875f));
  q = v_fma(q, z, v_set(0.502067566f));
  p = v_fma(p, z, v_set(1.12837911f));
  q = v_fma(q, z, v_set(1.0f));
  return m_clamp(v_div(v_mul(b, p), q), 1.0f);
}

#endif
