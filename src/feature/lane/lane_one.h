/* SPDX-License-Identifier: Apache-2.0
 * A lane alone, for one series: a row is one double. The same operations as in lane.h, which
 * includes this in place of its vectors.
 *
 * What a recurrence waits for is its own last value, and a select by bits stands in that way. Masks
 * that say whether a value is missing are the same from row to row, so here they are branches,
 * which the machine foresees; what compares values stays a select by bits. Which of the two a mask
 * is, the compiler knows once everything is inlined. */
#ifndef HY_FEATURE_LANE_ONE_H
#define HY_FEATURE_LANE_ONE_H

enum { LANE_WIDTH = 1 };

#if defined(__aarch64__)
typedef double lanes;
typedef bool mask;
HY_INLINE lanes v_sel(mask m, lanes a, lanes b) { return m ? a : b; }
HY_INLINE mask m_and(mask a, mask b) { return a & b; }
HY_INLINE mask m_or(mask a, mask b) { return a | b; }
HY_INLINE mask m_andnot(mask a, mask b) { return a & !b; }
HY_INLINE mask m_steady(mask m) { return m; }
HY_INLINE bool m_any(mask m) { return m; }
HY_INLINE mask v_lt(lanes a, lanes b) { return a < b; }
HY_INLINE mask v_le(lanes a, lanes b) { return a <= b; }
HY_INLINE mask v_eq(lanes a, lanes b) { return a == b; }
HY_INLINE mask v_ok(lanes a) { return a == a; }
HY_INLINE lanes v_load(const double *p) { return *p; }
HY_INLINE void v_store(double *p, lanes a) { *p = a; }
HY_INLINE lanes v_set(double a) { return a; }
HY_INLINE lanes v_sqrt(lanes a) { return __builtin_sqrt(a); }
HY_INLINE lanes v_max(lanes a, lanes b) { return a > b ? a : b; }
HY_INLINE lanes v_min(lanes a, lanes b) { return a < b ? a : b; }
HY_INLINE lanes v_abs(lanes a) { return __builtin_fabs(a); }
#else
typedef __m128d lanes; /* the lower half */
typedef struct mask {
  __m128d bits;
  bool is, steady; /* the same answer; a branch */
} mask;
HY_INLINE lanes v_sel(mask m, lanes a, lanes b) {
  if (!m.steady) return _mm_or_pd(_mm_and_pd(m.bits, a), _mm_andnot_pd(m.bits, b));
  if (__builtin_expect(!m.is, 0)) return b;
  __asm__("" : "+x"(a)); /* or the compiler makes a select of it */
  return a;
}
HY_INLINE mask m_and(mask a, mask b) {
  return (mask){_mm_and_pd(a.bits, b.bits), a.is & b.is, a.steady & b.steady};
}
HY_INLINE mask m_or(mask a, mask b) {
  return (mask){_mm_or_pd(a.bits, b.bits), a.is | b.is, a.steady & b.steady};
}
HY_INLINE mask m_andnot(mask a, mask b) {
  return (mask){_mm_andnot_pd(b.bits, a.bits), a.is & !b.is, a.steady & b.steady};
}
HY_INLINE mask m_steady(mask m) { return (mask){m.bits, m.is, true}; }
HY_INLINE bool m_any(mask m) { return m.is; }
HY_INLINE mask v_lt(lanes a, lanes b) { return (mask){_mm_cmplt_sd(a, b), a[0] < b[0], false}; }
HY_INLINE mask v_le(lanes a, lanes b) { return (mask){_mm_cmple_sd(a, b), a[0] <= b[0], false}; }
HY_INLINE mask v_eq(lanes a, lanes b) { return (mask){_mm_cmpeq_sd(a, b), a[0] == b[0], false}; }
HY_INLINE mask v_ok(lanes a) { return (mask){_mm_cmpord_sd(a, a), a[0] == a[0], true}; }
HY_INLINE lanes v_load(const double *p) { return _mm_load_sd(p); }
HY_INLINE void v_store(double *p, lanes a) { _mm_store_sd(p, a); }
HY_INLINE lanes v_set(double a) { return _mm_set_sd(a); }
HY_INLINE lanes v_sqrt(lanes a) { return _mm_sqrt_pd(a); }
HY_INLINE lanes v_max(lanes a, lanes b) { return _mm_max_sd(a, b); }
HY_INLINE lanes v_min(lanes a, lanes b) { return _mm_min_sd(a, b); }
HY_INLINE lanes v_abs(lanes a) { return _mm_andnot_pd(_mm_set_sd(-0.0), a); }
#endif
HY_INLINE lanes v_only(mask m, lanes a) { return v_sel(m, a, v_set(0.0)); }
HY_INLINE lanes v_add_if(mask m, lanes a, lanes b) { return a + v_only(m, b); }

#endif
