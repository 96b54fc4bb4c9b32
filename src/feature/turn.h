/* SPDX-License-Identifier: Apache-2.0
 * Eight rows of lanes turned into eight values for each lane: the way out of the lanes. Every NaN
 * that leaves is the one of v_missing: the sign and payload of others differ between instruction
 * sets. */
#ifndef HY_FEATURE_TURN_H
#define HY_FEATURE_TURN_H

#include "feature/lane.h"

HY_INLINE lanes known_nan(lanes a) { return v_keep(v_ok(a), a); }

/* Eight rows of lanes: eight values to each lane's place, `stride` apart, a cache line where `past`
 * says that they go past the caches. */
#if HY_ISA_LEVEL == 3
HY_INLINE void turn_put(double *to, lanes a, bool past) {
  if (past)
    _mm512_stream_pd(to, a);
  else
    v_store(to, a);
}
#define PAIR(a, b, select) _mm512_shuffle_f64x2(a, b, select)
/* Every second lane, from the pairs of rows 0 and 1, 2 and 3, 4 and 5, 6 and 7. */
HY_INLINE void turn_half(const lanes *pair, double *to, size_t stride, bool past) {
  const lanes a = PAIR(pair[0], pair[1], 0x88)
  , b = PAIR(pair[0], pair[1], 0xdd);
  const lanes c = PAIR(pair[2], pair[3], 0x88)
  , d = PAIR(pair[2], pair[3], 0xdd);
  turn_put(to, PAIR(a, c, 0x88), past);
  turn_put(to + 2 * stride, PAIR(b, d, 0x88), past);
  turn_put(to + 4 * stride, PAIR(a, c, 0xdd), past);
  turn_put(to + 6 * stride, PAIR(b, d, 0xdd), past);
}
HY_INLINE void turn_rows(const double *const *row, double *to, size_t stride, bool past) {
  lanes even[4], odd[4];
  for (int i = 0; i < 4; i++) {
    const lanes a = known_nan(v_load(row[2 * i])), b = known_nan(v_load(row[2 * i + 1]));
    even[i] = _mm512_unpacklo_pd(a, b);
    odd[i] = _mm512_unpackhi_pd(a, b);
  }
  turn_half(even, to, stride, past);
  turn_half(odd, to + stride, stride, past);
}
#elif HY_ISA_LEVEL == 2
HY_INLINE void turn_put(double *to, lanes a, bool past) {
  if (past)
    _mm256_stream_pd(to, a);
  else
    v_store(to, a);
}
/* Four lanes of four rows. */
HY_INLINE void turn_four(const double *const *row, size_t g, lanes *out) {
  const lanes a = known_nan(v_load(row[0] + g)), b = known_nan(v_load(row[1] + g));
  const lanes c = known_nan(v_load(row[2] + g)), d = known_nan(v_load(row[3] + g));
  const lanes ab = _mm256_unpacklo_pd(a, b), cd = _mm256_unpacklo_pd(c, d);
  const lanes ab1 = _mm256_unpackhi_pd(a, b), cd1 = _mm256_unpackhi_pd(c, d);
  out[0] = _mm256_permute2f128_pd(ab, cd, 0x20);
  out[1] = _mm256_permute2f128_pd(ab1, cd1, 0x20);
  out[2] = _mm256_permute2f128_pd(ab, cd, 0x31);
  out[3] = _mm256_permute2f128_pd(ab1, cd1, 0x31);
}
HY_INLINE void turn_rows(const double *const *row, double *to, size_t stride, bool past) {
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    lanes first[4], second[4];
    turn_four(row, g, first);
    turn_four(row + 4, g, second);
    for (size_t k = 0; k < 4; k++) {
      turn_put(to + (g + k) * stride, first[k], past);
      turn_put(to + (g + k) * stride + 4, second[k], past);
    }
  }
}
#else
HY_INLINE void turn_rows(const double *const *row, double *to, size_t stride, bool past) {
  (void)past;
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    for (size_t t = 0; t < 8; t++) {
      double values[LANE_WIDTH];
      v_store(values, known_nan(v_load(row[t] + g)));
      for (size_t k = 0; k < LANE_WIDTH; k++) to[(g + k) * stride + t] = values[k];
    }
  }
}
#endif

#endif
