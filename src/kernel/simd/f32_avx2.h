/* SPDX-License-Identifier: Apache-2.0
 * Eight lanes of float32 in AVX2 registers with FMA, under the names that the kernel templates
 * use. */
#ifndef HY_KERNEL_SIMD_F32_AVX2_H
#define HY_KERNEL_SIMD_F32_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define HY_VL        8
#define HY_REGISTERS 16
typedef __m256 vf;
typedef __m256 vm;

#define HY_INLINE static inline __attribute__((always_inline, unused))

static const int32_t v_first_masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

HY_INLINE __m256i v_first(size_t n) { /* n <= 8 */
  return _mm256_loadu_si256((const __m256i *)(const void *)(v_first_masks + 8 - n));
}
HY_INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
HY_INLINE vf v_load_n(const float *p, size_t n) { return _mm256_maskload_ps(p, v_first(n)); }
/* Pairs of bfloat16, a pair a lane, widened: the lower halves and the upper. */
HY_INLINE void v_load_pairs(const void *p, vf *low, vf *high) {
  const __m256i v = _mm256_loadu_si256(p);
  *low = _mm256_castsi256_ps(_mm256_slli_epi32(v, 16));
  *high = _mm256_castsi256_ps(_mm256_and_si256(v, _mm256_set1_epi32(-65536)));
}
HY_INLINE void v_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
HY_INLINE void v_store_n(float *p, vf v, size_t n) { _mm256_maskstore_ps(p, v_first(n), v); }
HY_INLINE vf v_set(float x) { return _mm256_set1_ps(x); }
HY_INLINE vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
HY_INLINE vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
HY_INLINE vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
HY_INLINE vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
HY_INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }   /* a * b + c */
HY_INLINE vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); } /* c - a * b */
/* NaN in b passes through both; NaN in a does not. */
HY_INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
HY_INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
HY_INLINE vf v_sqrt(vf a) { return _mm256_sqrt_ps(a); }
HY_INLINE vf v_rint(vf a) {
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
HY_INLINE vf v_floor(vf a) { return _mm256_floor_ps(a); }
HY_INLINE vf v_ceil(vf a) { return _mm256_ceil_ps(a); }
HY_INLINE vf v_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
HY_INLINE vf v_neg(vf a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
/* The magnitude of a with the sign of b. */
HY_INLINE vf v_copysign(vf a, vf b) {
  return _mm256_or_ps(v_abs(a), _mm256_and_ps(b, _mm256_set1_ps(-0.0f)));
}
HY_INLINE vm v_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
HY_INLINE vf v_pick(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); } /* m ? a : b */
HY_INLINE vf v_exponent(__m256i n) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}
/* a * 2^n, n integral within +-250: in two factors, so that each stays a normal number. */
HY_INLINE vf v_scale(vf a, vf n) {
  __m256i whole = _mm256_cvtps_epi32(n);
  __m256i half = _mm256_srai_epi32(whole, 1);
  return _mm256_mul_ps(_mm256_mul_ps(a, v_exponent(half)),
                       v_exponent(_mm256_sub_epi32(whole, half)));
}
/* The lanes in a tree: i + i + 4, then i + i + 2, ... */
HY_INLINE float v_sum(vf a) {
  const __m128 c = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 d = _mm_add_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_add_ss(d, _mm_shuffle_ps(d, d, 1)));
}
/* The largest lane; NaN may be passed over. */
HY_INLINE float v_most(vf a) {
  const __m128 c = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 d = _mm_max_ps(c, _mm_movehl_ps(c, c));
  return _mm_cvtss_f32(_mm_max_ss(d, _mm_shuffle_ps(d, d, 1)));
}
/* Rows become columns. */
HY_INLINE void v_transpose(vf r[8]) {
  vf t[8];
  for (int i = 0; i < 8; i += 2) { /* pairs within 128 bits */
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) { /* fours */
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) { /* halves */
    t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
    t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
  }
  for (int i = 0; i < 8; ++i) r[i] = t[i];
}

#endif
