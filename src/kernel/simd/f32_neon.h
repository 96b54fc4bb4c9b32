/* SPDX-License-Identifier: Apache-2.0
 * Four lanes of float32 in AArch64's registers, under the names that the kernel templates use. */
#ifndef HY_KERNEL_SIMD_F32_NEON_H
#define HY_KERNEL_SIMD_F32_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define HY_VL        4
#define HY_REGISTERS 32
typedef float32x4_t vf;
typedef uint32x4_t vm;

#define HY_INLINE static inline __attribute__((always_inline, unused))

HY_INLINE vf v_load(const float *p) { return vld1q_f32(p); }
HY_INLINE vf v_load_n(const float *p, size_t n) { /* n <= 4 */
  float lane[HY_VL] = {0};
  for (size_t i = 0; i < n; ++i) lane[i] = p[i];
  return vld1q_f32(lane);
}
/* Pairs of bfloat16, a pair a lane, widened: the lower halves and the upper. */
HY_INLINE void v_load_pairs(const void *p, vf *low, vf *high) {
  const uint32x4_t v = vld1q_u32(p);
  *low = vreinterpretq_f32_u32(vshlq_n_u32(v, 16));
  *high = vreinterpretq_f32_u32(vandq_u32(v, vdupq_n_u32(0xffff0000u)));
}
HY_INLINE void v_store(float *p, vf v) { vst1q_f32(p, v); }
HY_INLINE void v_store_n(float *p, vf v, size_t n) {
  float lane[HY_VL];
  vst1q_f32(lane, v);
  for (size_t i = 0; i < n; ++i) p[i] = lane[i];
}
HY_INLINE vf v_set(float x) { return vdupq_n_f32(x); }
HY_INLINE vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
HY_INLINE vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
HY_INLINE vf v_mul(vf a, vf b) { return vmulq_f32(a, b); }
HY_INLINE vf v_div(vf a, vf b) { return vdivq_f32(a, b); }
HY_INLINE vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }  /* a * b + c */
HY_INLINE vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); } /* c - a * b */
HY_INLINE vm v_lt(vf a, vf b) { return vcltq_f32(a, b); }
HY_INLINE vf v_pick(vm m, vf a, vf b) { return vbslq_f32(m, a, b); } /* m ? a : b */
/* NaN in b passes through both; NaN in a does not (vminq would pass either on). */
HY_INLINE vf v_min(vf a, vf b) { return v_pick(v_lt(a, b), a, b); }
HY_INLINE vf v_max(vf a, vf b) { return v_pick(v_lt(b, a), a, b); }
HY_INLINE vf v_sqrt(vf a) { return vsqrtq_f32(a); }
HY_INLINE vf v_rint(vf a) { return vrndnq_f32(a); }
HY_INLINE vf v_floor(vf a) { return vrndmq_f32(a); }
HY_INLINE vf v_ceil(vf a) { return vrndpq_f32(a); }
HY_INLINE vf v_abs(vf a) { return vabsq_f32(a); }
HY_INLINE vf v_neg(vf a) { return vnegq_f32(a); }
/* The magnitude of a with the sign of b. */
HY_INLINE vf v_copysign(vf a, vf b) { return vbslq_f32(vdupq_n_u32(0x80000000u), b, a); }
HY_INLINE vf v_exponent(int32x4_t n) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23));
}
/* a * 2^n, n integral within +-250: in two factors, so that each stays a normal number. */
HY_INLINE vf v_scale(vf a, vf n) {
  int32x4_t whole = vcvtnq_s32_f32(n);
  int32x4_t half = vshrq_n_s32(whole, 1);
  return vmulq_f32(vmulq_f32(a, v_exponent(half)), v_exponent(vsubq_s32(whole, half)));
}
/* The same tree as the baseline's. */
HY_INLINE float v_sum(vf a) {
  const float32x2_t halves = vadd_f32(vget_low_f32(a), vget_high_f32(a));
  return vget_lane_f32(halves, 0) + vget_lane_f32(halves, 1);
}
/* The largest lane; NaN may be passed over. */
HY_INLINE float v_most(vf a) { return vmaxnmvq_f32(a); }
/* Rows become columns. */
HY_INLINE void v_transpose(vf r[4]) {
  const float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]);
  r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
  r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
  r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
  r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

#endif
