/* SPDX-License-Identifier: Apache-2.0
 * The way out of the lanes into a caller's memory: rows into a matrix of rows, or each lane's
 * column into a series of its own. No definition; it stands here to be compiled for each
 * instruction set as they are. Every NaN that leaves is the one of v_missing: the sign and payload
 * of others differ between instruction sets. */
#include "feature/lane.h"

HY_INLINE lanes known_nan(lanes a) { return v_keep(v_ok(a), a); }

/* p[0]: doubles from one row of the matrix to the next. */
static void rows_step(const hy__ind_step *s) {
  const size_t stride = p_count(s->p, 0);
  const double *from = s->in[0];
  double *to = s->out[0];
  for (size_t t = 0; t < s->n; t++, from += HY_LANES, to += stride)
    for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) v_store(to + g, known_nan(v_load(from + g)));
}
HY_IND_CODE(emit_rows) = {.step = rows_step};

/* Eight rows: eight values to each of the lanes' series, a cache line where `past` says that they
 * go past the caches. */
#if HY_ISA_LEVEL == 3
HY_INLINE void put(double *to, lanes a, bool past) {
  if (past)
    _mm512_stream_pd(to, a);
  else
    v_store(to, a);
}
#define PAIR(a, b, select) _mm512_shuffle_f64x2(a, b, select)
/* Every second lane, from the pairs of rows 0 and 1, 2 and 3, 4 and 5, 6 and 7. */
HY_INLINE void put_half(const lanes *pair, double *to, size_t stride, bool past) {
  const lanes a = PAIR(pair[0], pair[1], 0x88)
  , b = PAIR(pair[0], pair[1], 0xdd);
  const lanes c = PAIR(pair[2], pair[3], 0x88)
  , d = PAIR(pair[2], pair[3], 0xdd);
  put(to, PAIR(a, c, 0x88), past);
  put(to + 2 * stride, PAIR(b, d, 0x88), past);
  put(to + 4 * stride, PAIR(a, c, 0xdd), past);
  put(to + 6 * stride, PAIR(b, d, 0xdd), past);
}
HY_INLINE void put_rows(const double *from, double *to, size_t stride, bool past) {
  lanes even[4], odd[4];
  for (int i = 0; i < 4; i++, from += 2 * HY_LANES) {
    const lanes a = known_nan(v_load(from)), b = known_nan(v_load(from + HY_LANES));
    even[i] = _mm512_unpacklo_pd(a, b);
    odd[i] = _mm512_unpackhi_pd(a, b);
  }
  put_half(even, to, stride, past);
  put_half(odd, to + stride, stride, past);
}
#elif HY_ISA_LEVEL == 2
HY_INLINE void put(double *to, lanes a, bool past) {
  if (past)
    _mm256_stream_pd(to, a);
  else
    v_store(to, a);
}
/* Four lanes of four rows. */
HY_INLINE void turn(const double *from, lanes *out) {
  const lanes a = known_nan(v_load(from)), b = known_nan(v_load(from + HY_LANES));
  const lanes c = known_nan(v_load(from + 2 * HY_LANES)),
              d = known_nan(v_load(from + 3 * HY_LANES));
  const lanes ab = _mm256_unpacklo_pd(a, b), cd = _mm256_unpacklo_pd(c, d);
  const lanes ab1 = _mm256_unpackhi_pd(a, b), cd1 = _mm256_unpackhi_pd(c, d);
  out[0] = _mm256_permute2f128_pd(ab, cd, 0x20);
  out[1] = _mm256_permute2f128_pd(ab1, cd1, 0x20);
  out[2] = _mm256_permute2f128_pd(ab, cd, 0x31);
  out[3] = _mm256_permute2f128_pd(ab1, cd1, 0x31);
}
HY_INLINE void put_rows(const double *from, double *to, size_t stride, bool past) {
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    lanes first[4], second[4];
    turn(from + g, first);
    turn(from + 4 * HY_LANES + g, second);
    for (size_t k = 0; k < 4; k++) {
      put(to + (g + k) * stride, first[k], past);
      put(to + (g + k) * stride + 4, second[k], past);
    }
  }
}
#else
HY_INLINE void put_rows(const double *from, double *to, size_t stride, bool past) {
  (void)past;
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    for (size_t t = 0; t < 8; t++) {
      double row[LANE_WIDTH];
      v_store(row, known_nan(v_load(from + t * HY_LANES + g)));
      for (size_t k = 0; k < LANE_WIDTH; k++) to[(g + k) * stride + t] = row[k];
    }
  }
}
#endif

HY_INLINE void put_row(const double *from, double *to, size_t stride) {
  double row[HY_LANES];
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) v_store(row + g, known_nan(v_load(from + g)));
  for (size_t k = 0; k < HY_LANES; k++) to[k * stride] = row[k];
}

/* p[0]: doubles from one lane's series to the next; p[1]: whether what is written is too much for
 * the caches. Whole lines, so both must be multiples of a line for that. */
static void series_step(const hy__ind_step *s) {
  enum { LINE = 8 };
  const size_t stride = p_count(s->p, 0);
  const double *from = s->in[0];
  double *to = s->out[0];
  const bool past = s->p[1] > 0.0 && stride % LINE == 0;
  size_t t = 0;
  for (; t < s->n && ((uintptr_t)(to + t) & 63) != 0; t++)
    put_row(from + t * HY_LANES, to + t, stride);
  for (; t + LINE <= s->n; t += LINE) put_rows(from + t * HY_LANES, to + t, stride, past);
  for (; t < s->n; t++) put_row(from + t * HY_LANES, to + t, stride);
}
HY_IND_CODE(emit_series) = {.step = series_step};
