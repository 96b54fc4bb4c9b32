/* SPDX-License-Identifier: Apache-2.0
 * Sixteen lanes of float32 in AVX-512 registers, under the names that the kernel templates use. */
#ifndef HY_KERNEL_SIMD_F32_AVX512_H
#define HY_KERNEL_SIMD_F32_AVX512_H

#include <immintrin.h>
#include <stddef.h>

#define HY_VL        16
#define HY_REGISTERS 32
typedef __m512 vf;
typedef __mmask16 vm;

#define HY_INLINE static inline __attribute__((always_inline, unused))

HY_INLINE vm v_first(size_t n) { return (vm)((1u << n) - 1u); } /* n <= 16 */
HY_INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
HY_INLINE vf v_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(v_first(n), p); }
/* Pairs of bfloat16, a pair a lane, widened: the lower halves and the upper. */
HY_INLINE void v_load_pairs(const void *p, vf *low, vf *high) {
  const __m512i v = _mm512_loadu_si512(p);
  *low = _mm512_castsi512_ps(_mm512_slli_epi32(v, 16));
  *high = _mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32(-65536)));
}
HY_INLINE void v_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
HY_INLINE void v_store_n(float *p, vf v, size_t n) { _mm512_mask_storeu_ps(p, v_first(n), v); }
HY_INLINE vf v_set(float x) { return _mm512_set1_ps(x); }
HY_INLINE vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
HY_INLINE vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
HY_INLINE vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
HY_INLINE vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
HY_INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }   /* a * b + c */
HY_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); } /* c - a * b */
/* NaN in b passes through both; NaN in a does not. */
HY_INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
HY_INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
HY_INLINE vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
HY_INLINE vf v_rint(vf a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
HY_INLINE vf v_floor(vf a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
HY_INLINE vf v_ceil(vf a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
HY_INLINE vf v_abs(vf a) { return _mm512_abs_ps(a); }
HY_INLINE vf v_neg(vf a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
/* The magnitude of a with the sign of b. */
HY_INLINE vf v_copysign(vf a, vf b) {
  return _mm512_or_ps(_mm512_abs_ps(a), _mm512_and_ps(b, _mm512_set1_ps(-0.0f)));
}
HY_INLINE vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
HY_INLINE vf v_pick(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); } /* m ? a : b */
/* a * 2^n, n integral, overflowing and underflowing once. */
HY_INLINE vf v_scale(vf a, vf n) { return _mm512_scalef_ps(a, n); }
/* The lanes in a tree: i + i + 8, then i + i + 4, ... */
HY_INLINE __m256 v_high(vf a) {
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1));
}
HY_INLINE float v_sum(vf a) {
  const __m256 b = _mm256_add_ps(_mm512_castps512_ps256(a), v_high(a));
  const __m128 c = _mm_add_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(d, _mm_shuffle_ps(d, d, 1)));
}
/* The largest lane; NaN may be passed over. */
HY_INLINE float v_most(vf a) {
  const __m256 b = _mm256_max_ps(_mm512_castps512_ps256(a), v_high(a));
  const __m128 c = _mm_max_ps(_mm256_castps256_ps128(b), _mm256_extractf128_ps(b, 1));
  const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_max_ss(d, _mm_shuffle_ps(d, d, 1)));
}
/* Rows become columns. */
HY_INLINE void v_transpose(vf r[16]) {
  vf t[16];
  for (int i = 0; i < 16; i += 2) { /* pairs within 128 bits */
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) { /* fours */
    r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) { /* blocks of 128 bits */
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

#endif
