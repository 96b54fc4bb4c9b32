/* SPDX-License-Identifier: Apache-2.0
 * Lanes: a row of 8 symbols as native vectors of the instruction set a file is compiled for (2, 4
 * or 8 doubles), or a row of one symbol (lane_one.h). Every operation is one that IEEE 754 rounds
 * exactly, or a select, so that all widths give the same bits. Included by src/feature/indicator
 * alone; everything is static, so nothing leaks into the baseline path. */
#ifndef HY_FEATURE_LANE_H
#define HY_FEATURE_LANE_H

#if defined(__aarch64__)
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif

#include "feature/indicator.h"

#define HY_INLINE static inline __attribute__((always_inline))

#if HY_ISA_LEVEL == 0
#include "feature/lane/lane_one.h"
#elif HY_ISA_LEVEL == 3
typedef __m512d lanes;
typedef __mmask8 mask;
enum { LANE_WIDTH = 8 };
#define LANE_OP(name)          _mm512_##name
#define LANE_COMPARE(a, b, op) _mm512_cmp_pd_mask(a, b, op)
HY_INLINE lanes v_sel(mask m, lanes a, lanes b) { return _mm512_mask_blend_pd(m, b, a); }
/* 0 where m is not set */
HY_INLINE lanes v_only(mask m, lanes a) { return _mm512_maskz_mov_pd(m, a); }
HY_INLINE lanes v_add_if(mask m, lanes a, lanes b) { return _mm512_mask_add_pd(a, m, a, b); }
HY_INLINE mask m_and(mask a, mask b) { return (mask)(a & b); }
HY_INLINE mask m_or(mask a, mask b) { return (mask)(a | b); }
HY_INLINE mask m_andnot(mask a, mask b) { return (mask)(a & ~b); } /* a and not b */
HY_INLINE bool m_any(mask m) { return m != 0; }
#elif HY_ISA_LEVEL == 2
typedef __m256d lanes;
typedef __m256d mask;
enum { LANE_WIDTH = 4 };
#define LANE_OP(name)          _mm256_##name
#define LANE_COMPARE(a, b, op) _mm256_cmp_pd(a, b, op)
HY_INLINE lanes v_sel(mask m, lanes a, lanes b) { return _mm256_blendv_pd(b, a, m); }
HY_INLINE lanes v_only(mask m, lanes a) { return _mm256_and_pd(m, a); }
HY_INLINE lanes v_add_if(mask m, lanes a, lanes b) { return a + v_only(m, b); }
HY_INLINE mask m_and(mask a, mask b) { return _mm256_and_pd(a, b); }
HY_INLINE mask m_or(mask a, mask b) { return _mm256_or_pd(a, b); }
HY_INLINE mask m_andnot(mask a, mask b) { return _mm256_andnot_pd(b, a); }
HY_INLINE bool m_any(mask m) { return _mm256_movemask_pd(m) != 0; }
#elif defined(__aarch64__)
typedef float64x2_t lanes;
typedef uint64x2_t mask;
enum { LANE_WIDTH = 2 };
HY_INLINE lanes v_sel(mask m, lanes a, lanes b) { return vbslq_f64(m, a, b); }
HY_INLINE lanes v_only(mask m, lanes a) {
  return vreinterpretq_f64_u64(vandq_u64(m, vreinterpretq_u64_f64(a)));
}
HY_INLINE lanes v_add_if(mask m, lanes a, lanes b) { return a + v_only(m, b); }
HY_INLINE mask m_and(mask a, mask b) { return vandq_u64(a, b); }
HY_INLINE mask m_or(mask a, mask b) { return vorrq_u64(a, b); }
HY_INLINE mask m_andnot(mask a, mask b) { return vbicq_u64(a, b); }
HY_INLINE bool m_any(mask m) { return (vgetq_lane_u64(m, 0) | vgetq_lane_u64(m, 1)) != 0; }
#else
typedef __m128d lanes;
typedef __m128d mask;
enum { LANE_WIDTH = 2 };
#define LANE_OP(name) _mm_##name
HY_INLINE lanes v_sel(mask m, lanes a, lanes b) {
  return _mm_or_pd(_mm_and_pd(m, a), _mm_andnot_pd(m, b));
}
HY_INLINE lanes v_only(mask m, lanes a) { return _mm_and_pd(m, a); }
HY_INLINE lanes v_add_if(mask m, lanes a, lanes b) { return a + v_only(m, b); }
HY_INLINE mask m_and(mask a, mask b) { return _mm_and_pd(a, b); }
HY_INLINE mask m_or(mask a, mask b) { return _mm_or_pd(a, b); }
HY_INLINE mask m_andnot(mask a, mask b) { return _mm_andnot_pd(b, a); }
HY_INLINE bool m_any(mask m) { return _mm_movemask_pd(m) != 0; }
#endif

#if HY_ISA_LEVEL == 0
/* lane_one.h */
#elif HY_ISA_LEVEL >= 2
HY_INLINE mask v_lt(lanes a, lanes b) { return LANE_COMPARE(a, b, _CMP_LT_OQ); }
HY_INLINE mask v_le(lanes a, lanes b) { return LANE_COMPARE(a, b, _CMP_LE_OQ); }
HY_INLINE mask v_eq(lanes a, lanes b) { return LANE_COMPARE(a, b, _CMP_EQ_OQ); }
HY_INLINE mask v_ok(lanes a) { return LANE_COMPARE(a, a, _CMP_ORD_Q); } /* not NaN */
#elif defined(__aarch64__)
HY_INLINE mask v_lt(lanes a, lanes b) { return vcltq_f64(a, b); }
HY_INLINE mask v_le(lanes a, lanes b) { return vcleq_f64(a, b); }
HY_INLINE mask v_eq(lanes a, lanes b) { return vceqq_f64(a, b); }
HY_INLINE mask v_ok(lanes a) { return vceqq_f64(a, a); }
#else
HY_INLINE mask v_lt(lanes a, lanes b) { return _mm_cmplt_pd(a, b); }
HY_INLINE mask v_le(lanes a, lanes b) { return _mm_cmple_pd(a, b); }
HY_INLINE mask v_eq(lanes a, lanes b) { return _mm_cmpeq_pd(a, b); }
HY_INLINE mask v_ok(lanes a) { return _mm_cmpord_pd(a, a); }
#endif
#if HY_ISA_LEVEL != 0
/* A comparison whose answer changes seldom, such as whether an average has begun. */
HY_INLINE mask m_steady(mask m) { return m; }
#endif
HY_INLINE mask v_gt(lanes a, lanes b) { return v_lt(b, a); }
HY_INLINE mask v_ge(lanes a, lanes b) { return v_le(b, a); }

#if HY_ISA_LEVEL == 0
/* lane_one.h */
#elif defined(__aarch64__)
HY_INLINE lanes v_load(const double *p) { return vld1q_f64(p); }
HY_INLINE void v_store(double *p, lanes a) { vst1q_f64(p, a); }
HY_INLINE lanes v_set(double a) { return vdupq_n_f64(a); }
HY_INLINE lanes v_sqrt(lanes a) { return vsqrtq_f64(a); }
/* As below; vmaxq would pass a NaN of either on. */
HY_INLINE lanes v_max(lanes a, lanes b) { return v_sel(v_gt(a, b), a, b); }
HY_INLINE lanes v_min(lanes a, lanes b) { return v_sel(v_lt(a, b), a, b); }
HY_INLINE lanes v_abs(lanes a) { return vabsq_f64(a); }
#else
HY_INLINE lanes v_load(const double *p) { return LANE_OP(loadu_pd)(p); }
HY_INLINE void v_store(double *p, lanes a) { LANE_OP(storeu_pd)(p, a); }
HY_INLINE lanes v_set(double a) { return LANE_OP(set1_pd)(a); }
HY_INLINE lanes v_sqrt(lanes a) { return LANE_OP(sqrt_pd)(a); }
/* a > b ? a : b, so b where either is NaN; the sign of a zero is not defined by these, v_fin clears
 * it */
HY_INLINE lanes v_max(lanes a, lanes b) { return LANE_OP(max_pd)(a, b); }
HY_INLINE lanes v_min(lanes a, lanes b) { return LANE_OP(min_pd)(a, b); }
HY_INLINE lanes v_abs(lanes a) { return LANE_OP(andnot_pd)(v_set(-0.0), a); }
#endif

HY_INLINE lanes v_zero(void) { return v_set(0.0); }
HY_INLINE lanes v_missing(void) { return v_set(__builtin_nan("")); }
/* What is not finite becomes the one NaN of v_missing, -0 becomes +0. */
HY_INLINE lanes v_fin(lanes a) {
  const lanes sum = a + (a - a);
  return v_sel(v_ok(sum), sum, v_missing());
}
HY_INLINE lanes v_keep(mask m, lanes a) {
  return v_sel(m, a, v_missing());
} /* NaN where m is not set */
/* a / b, but `flat` where b is 0 (and a is finite) */
HY_INLINE lanes v_ratio(lanes a, lanes b, lanes flat) {
  return v_sel(v_eq(b, v_zero()), flat + (a - a), a / b);
}

/* Towards minus infinity, by the rounding that adding and subtracting 1.5 * 2^52 does; |a| < 2^51.
 */
HY_INLINE lanes v_floor(lanes a) {
  const lanes magic = v_set(6755399441055744.0), near = (a + magic) - magic;
  return v_sel(v_lt(a, near), near - v_set(1.0), near);
}
/* The day (since 1970-01-01) that a bar which closes at these seconds belongs to: midnight ends it.
 */
HY_INLINE lanes v_day(lanes seconds) { return v_floor((seconds - v_set(1.0)) / v_set(86400.0)); }

/* The value k bars before the one at x (a pointer into a row, at a group of lanes). */
HY_INLINE lanes v_ago(const double *x, size_t k) { return v_load(x - HY_LANES * k); }

HY_INLINE size_t lanes_used(const hy__ind_step *s) {
  return (size_t)LANE_WIDTH < (size_t)HY_LANES ? HY_LANES - s->idle : HY_LANES;
}
/* The groups of lanes of all blocks of a step that hold a symbol. */
#define EACH_GROUP(s, g)                                                                           \
  EACH_BLOCK(s, first_##g)                                                                         \
    for (size_t g = first_##g; g < first_##g + lanes_used(s); g += LANE_WIDTH)

/* One row of a windowed definition: in[i] points at the newest row of input i, earlier rows lie
 * below it. */
typedef void (*hy__row_fn)(const double *const *in, const double *p, lanes *out);

/* A copy of a step and its parameters in the caller's frame: stores to an output cannot change
 * them, so that a loop need not read them again. */
typedef struct own_step {
  hy__ind_step s;
  double p[HY__IND_PARAMS];
} own_step;

/* A pointer that the compiler copies by itself: gathered into a wide load, the copies of pointers
 * that the caller has just stored one by one would wait for its stores. */
#define OWN_POINTER(to, from)                                                                      \
  do {                                                                                             \
    (to) = (from);                                                                                 \
    __asm__("" : "+r"(to));                                                                        \
  } while (0)

HY_INLINE const hy__ind_step *step_own(const hy__ind_step *s, own_step *own) {
  own->s.n = s->n;
  for (int i = 0; i < HY__IND_INPUTS; i++) OWN_POINTER(own->s.in[i], s->in[i]);
  for (int i = 0; i < HY__IND_OUTPUTS; i++) OWN_POINTER(own->s.out[i], s->out[i]);
  for (int i = 0; i < HY__IND_MIDS; i++) OWN_POINTER(own->s.mid[i], s->mid[i]);
  OWN_POINTER(own->s.state, s->state);
  own->s.more = s->more;
  own->s.apart = s->apart;
  own->s.idle = s->idle;
  for (int i = 0; i < HY__IND_PARAMS; i++) own->p[i] = s->p[i];
  own->s.p = own->p;
  return &own->s;
}

/* Applies a row function to every row and group of lanes of a step. Inlined with a constant f, so
 * the leaf's loop over its window runs in registers. */
HY_INLINE void rows_map(const hy__ind_step *given, int n_in, int n_out, hy__row_fn f) {
  own_step own;
  const hy__ind_step *const s = step_own(given, &own);
  EACH_GROUP(s, g) {
    for (size_t t = 0; t < s->n; t++) {
      const double *in[HY__IND_INPUTS];
      lanes out[HY__IND_OUTPUTS];
      for (int i = 0; i < n_in; i++) in[i] = s->in[i] + t * HY_LANES + g;
      f(in, s->p, out);
      for (int i = 0; i < n_out; i++) v_store(s->out[i] + t * HY_LANES + g, v_fin(out[i]));
    }
  }
}

/* The same for a row function without history: over the cells in their order in memory. */
HY_INLINE void cells_map(const hy__ind_step *given, int n_in, hy__row_fn f) {
  own_step own;
  const hy__ind_step *const s = step_own(given, &own);
  EACH_BLOCK(s, first) {
    for (size_t at = first; at < first + s->n * HY_LANES; at += LANE_WIDTH) {
      const double *in[HY__IND_INPUTS];
      lanes out[HY__IND_OUTPUTS];
      for (int i = 0; i < n_in; i++) in[i] = s->in[i] + at;
      f(in, s->p, out);
      v_store(s->out[0] + at, v_fin(out[0]));
    }
  }
}

/* A parameter as a count, below 2^32. */
HY_INLINE size_t p_count(const double *p, int i) { return (uint32_t)(int64_t)p[i]; }

#endif
