/* SPDX-License-Identifier: Apache-2.0
 * Four lanes of float32 in the compiler's vector extension, for the baseline machine: the fallback
 * of every kernel template. There is no fused multiply-add here, so results differ from the other
 * levels in the last places. */
#ifndef HY_KERNEL_SIMD_F32_SCALAR_H
#define HY_KERNEL_SIMD_F32_SCALAR_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HY_VL        4
#define HY_REGISTERS 16
typedef float vf __attribute__((vector_size(16)));
typedef int32_t vm __attribute__((vector_size(16)));

#define HY_INLINE static inline __attribute__((always_inline, unused))

HY_INLINE vf v_load(const float *p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}
HY_INLINE vf v_load_n(const float *p, size_t n) {
  vf v = {0};
  for (size_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
/* Pairs of bfloat16, a pair a lane, widened: the lower halves and the upper. */
HY_INLINE void v_load_pairs(const void *p, vf *low, vf *high) {
  uint32_t __attribute__((vector_size(16))) v;
  memcpy(&v, p, sizeof v);
  *low = (vf)(v << 16);
  *high = (vf)(v & 0xffff0000u);
}
HY_INLINE void v_store(float *p, vf v) { memcpy(p, &v, sizeof v); }
HY_INLINE void v_store_n(float *p, vf v, size_t n) {
  for (size_t i = 0; i < n; ++i) p[i] = v[i];
}
HY_INLINE vf v_set(float x) { return (vf){x, x, x, x}; }
HY_INLINE vf v_add(vf a, vf b) { return a + b; }
HY_INLINE vf v_sub(vf a, vf b) { return a - b; }
HY_INLINE vf v_mul(vf a, vf b) { return a * b; }
HY_INLINE vf v_div(vf a, vf b) { return a / b; }
HY_INLINE vf v_fma(vf a, vf b, vf c) { return a * b + c; }
HY_INLINE vf v_fnma(vf a, vf b, vf c) { return c - a * b; }
HY_INLINE vm v_lt(vf a, vf b) { return a < b; }
HY_INLINE vf v_pick(vm m, vf a, vf b) { return (vf)(((vm)a & m) | ((vm)b & ~m)); } /* m ? a : b */
/* NaN in b passes through both; NaN in a does not. */
HY_INLINE vf v_min(vf a, vf b) { return v_pick(a < b, a, b); }
HY_INLINE vf v_max(vf a, vf b) { return v_pick(a > b, a, b); }
HY_INLINE vf v_abs(vf a) { return (vf)((vm)a & 0x7fffffff); }
HY_INLINE vf v_neg(vf a) { return -a; }
/* The magnitude of a with the sign of b. */
HY_INLINE vf v_copysign(vf a, vf b) { return (vf)(((vm)a & 0x7fffffff) | ((vm)b & ~0x7fffffff)); }
HY_INLINE vf v_sqrt(vf a) { return (vf){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])}; }
HY_INLINE vf v_rint(vf a) { return (vf){rintf(a[0]), rintf(a[1]), rintf(a[2]), rintf(a[3])}; }
HY_INLINE vf v_floor(vf a) { return (vf){floorf(a[0]), floorf(a[1]), floorf(a[2]), floorf(a[3])}; }
HY_INLINE vf v_ceil(vf a) { return (vf){ceilf(a[0]), ceilf(a[1]), ceilf(a[2]), ceilf(a[3])}; }
/* a * 2^n, n integral within +-250: in two factors, so that each stays a normal number. NaN in n
 * is the caller's a. */
HY_INLINE vf v_scale(vf a, vf n) {
  vm whole, half;
  for (int i = 0; i < 4; ++i) whole[i] = n[i] > -260.0f && n[i] < 260.0f ? (int32_t)n[i] : 0;
  half = whole >> 1;
  return a * (vf)((half + 127) << 23) * (vf)((whole - half + 127) << 23);
}
HY_INLINE float v_sum(vf a) { return (a[0] + a[2]) + (a[1] + a[3]); }
/* The largest lane; NaN may be passed over. */
HY_INLINE float v_most(vf a) {
  const float low = a[0] > a[2] ? a[0] : a[2], high = a[1] > a[3] ? a[1] : a[3];
  return low > high ? low : high;
}
/* Rows become columns. */
HY_INLINE void v_transpose(vf r[4]) {
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < i; ++j) {
      const float x = r[i][j];
      r[i][j] = r[j][i];
      r[j][i] = x;
    }
}

#endif
