/* SPDX-License-Identifier: Apache-2.0
 * Eight rows of lanes turned into eight values for each lane: the way out of the lanes. Every NaN
 * that leaves is the one of v_missing: the sign and payload of others differ between instruction
 * sets. */
#ifndef HY_FEATURE_TURN_H
#define HY_FEATURE_TURN_H

#include "feature/lane/lane.h"

HY_INLINE lanes known_nan(lanes a) { return v_keep(v_ok(a), a); }

/* Eight rows of lanes. */
typedef struct turning {
  const double *const *row;
  bool divides;       /* by the rows at `over`, one after the other; */
  const double *over; /* what is not finite is missing */
} turning;

HY_INLINE lanes turn_take(turning from, int i, size_t g) {
  const lanes a = v_load(from.row[i] + g);
  if (!from.divides) return known_nan(a);
  const lanes share = a / v_load(from.over + i * HY_LANES + g);
  return v_keep(v_ok(share - share), share);
}

/* Eight rows of lanes: eight values to each lane's place, `stride` apart, a cache line where `past`
 * says that they go past the caches. */
#if HY_ISA_LEVEL == 3
HY_INLINE void turn_put(double *to, lanes a, bool past) {
  if (past)
    _mm512_stream_pd(to, a);
  else
    v_store(to, a);
}
#define SHUFFLE(a, b, select) _mm512_shuffle_f64x2(a, b, select)
/* Every second lane, from the pairs of rows 0 and 1, 2 and 3, 4 and 5, 6 and 7. */
HY_INLINE void turn_half(const lanes *pair, double *to, size_t stride, bool past) {
  const lanes a = SHUFFLE(pair[0], pair[1], 0x88), b = SHUFFLE(pair[0], pair[1], 0xdd);
  const lanes c = SHUFFLE(pair[2], pair[3], 0x88), d = SHUFFLE(pair[2], pair[3], 0xdd);
  turn_put(to, SHUFFLE(a, c, 0x88), past);
  turn_put(to + 2 * stride, SHUFFLE(b, d, 0x88), past);
  turn_put(to + 4 * stride, SHUFFLE(a, c, 0xdd), past);
  turn_put(to + 6 * stride, SHUFFLE(b, d, 0xdd), past);
}
HY_INLINE void turn_rows(turning from, double *to, size_t stride, bool past) {
  lanes even[4], odd[4];
  for (int i = 0; i < 4; i++) {
    const lanes a = turn_take(from, 2 * i, 0), b = turn_take(from, 2 * i + 1, 0);
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
HY_INLINE void turn_four(turning from, int first, size_t g, lanes *out) {
  const lanes a = turn_take(from, first, g), b = turn_take(from, first + 1, g);
  const lanes c = turn_take(from, first + 2, g), d = turn_take(from, first + 3, g);
  const lanes ab = _mm256_unpacklo_pd(a, b), cd = _mm256_unpacklo_pd(c, d);
  const lanes ab1 = _mm256_unpackhi_pd(a, b), cd1 = _mm256_unpackhi_pd(c, d);
  out[0] = _mm256_permute2f128_pd(ab, cd, 0x20);
  out[1] = _mm256_permute2f128_pd(ab1, cd1, 0x20);
  out[2] = _mm256_permute2f128_pd(ab, cd, 0x31);
  out[3] = _mm256_permute2f128_pd(ab1, cd1, 0x31);
}
HY_INLINE void turn_rows(turning from, double *to, size_t stride, bool past) {
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    lanes first[4], second[4];
    turn_four(from, 0, g, first);
    turn_four(from, 4, g, second);
    for (size_t k = 0; k < 4; k++) {
      turn_put(to + (g + k) * stride, first[k], past);
      turn_put(to + (g + k) * stride + 4, second[k], past);
    }
  }
}
#else
HY_INLINE void turn_rows(turning from, double *to, size_t stride, bool past) {
  (void)past;
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    for (int t = 0; t < 8; t++) {
      double values[LANE_WIDTH];
      v_store(values, turn_take(from, t, g));
      for (size_t k = 0; k < LANE_WIDTH; k++) to[(g + k) * stride + t] = values[k];
    }
  }
}
#endif

#endif
