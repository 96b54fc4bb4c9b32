/* SPDX-License-Identifier: Apache-2.0
 * Candles for the patterns of indicator/pattern_*.c: bar k is the one k bars ago. What counts as
 * long, short, near or equal is a multiple of an average over the 10 or 5 bars before the bar in
 * question, itself left out, as in TA-Lib; such a function gives the limit that a length is held
 * against. */
#ifndef HY_FEATURE_CANDLE_H
#define HY_FEATURE_CANDLE_H

#include "feature/lane/lane.h"

typedef struct candles {
  const double *const *in; /* open, high, low, close */
  lanes seen;              /* a sum of all that was looked at: NaN if something is missing */
} candles;

HY_INLINE lanes open_at(const candles *c, size_t k) { return v_ago(c->in[0], k); }
HY_INLINE lanes high_at(const candles *c, size_t k) { return v_ago(c->in[1], k); }
HY_INLINE lanes low_at(const candles *c, size_t k) { return v_ago(c->in[2], k); }
HY_INLINE lanes close_at(const candles *c, size_t k) { return v_ago(c->in[3], k); }

HY_INLINE mask white(const candles *c, size_t k) { return v_ge(close_at(c, k), open_at(c, k)); }
HY_INLINE mask black(const candles *c, size_t k) { return v_lt(close_at(c, k), open_at(c, k)); }
HY_INLINE lanes top(const candles *c, size_t k) { return v_max(open_at(c, k), close_at(c, k)); }
HY_INLINE lanes bottom(const candles *c, size_t k) { return v_min(open_at(c, k), close_at(c, k)); }
HY_INLINE lanes body(const candles *c, size_t k) { return v_abs(close_at(c, k) - open_at(c, k)); }
HY_INLINE lanes range(const candles *c, size_t k) { return high_at(c, k) - low_at(c, k); }
HY_INLINE lanes upper(const candles *c, size_t k) { return high_at(c, k) - top(c, k); }
HY_INLINE lanes lower(const candles *c, size_t k) { return bottom(c, k) - low_at(c, k); }
HY_INLINE lanes shadows(const candles *c, size_t k) { return upper(c, k) + lower(c, k); }

/* The mean of a length over the n bars before bar k, oldest first. */
typedef lanes (*length_fn)(const candles *c, size_t k);
HY_INLINE lanes usual(candles *c, length_fn length, size_t k, size_t n) {
  lanes sum = v_zero();
  for (size_t i = n; i > 0; i--) sum += length(c, k + i);
  c->seen += sum;
  return sum / v_set((double)n);
}

HY_INLINE lanes body_usual(candles *c, size_t k) { return usual(c, body, k, 10); }
HY_INLINE lanes tenth(candles *c, size_t k) { return v_set(0.1) * usual(c, range, k, 10); }
HY_INLINE lanes near_by(candles *c, size_t k) { return v_set(0.2) * usual(c, range, k, 5); }
HY_INLINE lanes far_by(candles *c, size_t k) { return v_set(0.6) * usual(c, range, k, 5); }
HY_INLINE lanes equal_by(candles *c, size_t k) { return v_set(0.05) * usual(c, range, k, 5); }
HY_INLINE lanes shadow_usual(candles *c, size_t k) { return usual(c, shadows, k, 10) / v_set(2.0); }

HY_INLINE mask long_body(candles *c, size_t k) { return v_gt(body(c, k), body_usual(c, k)); }
HY_INLINE mask short_body(candles *c, size_t k) { return v_lt(body(c, k), body_usual(c, k)); }
HY_INLINE mask not_long(candles *c, size_t k) { return v_le(body(c, k), body_usual(c, k)); }
HY_INLINE mask doji(candles *c, size_t k) { return v_le(body(c, k), tenth(c, k)); }
HY_INLINE mask no_upper(candles *c, size_t k) { return v_lt(upper(c, k), tenth(c, k)); }
HY_INLINE mask no_lower(candles *c, size_t k) { return v_lt(lower(c, k), tenth(c, k)); }
HY_INLINE mask has_upper(candles *c, size_t k) { return v_gt(upper(c, k), tenth(c, k)); }
HY_INLINE mask has_lower(candles *c, size_t k) { return v_gt(lower(c, k), tenth(c, k)); }
HY_INLINE mask short_upper(candles *c, size_t k) { return v_lt(upper(c, k), shadow_usual(c, k)); }
HY_INLINE mask short_lower(candles *c, size_t k) { return v_lt(lower(c, k), shadow_usual(c, k)); }

/* A shadow is long when longer than its own body, very long when longer than two. */
HY_INLINE mask long_upper(const candles *c, size_t k) { return v_gt(upper(c, k), body(c, k)); }
HY_INLINE mask long_lower(const candles *c, size_t k) { return v_gt(lower(c, k), body(c, k)); }
HY_INLINE lanes two_bodies(const candles *c, size_t k) { return v_set(2.0) * body(c, k); }

/* Bodies that do not meet: the one of bar k above or below that of bar j; then whole bars. */
HY_INLINE mask gap_up(const candles *c, size_t k, size_t j) {
  return v_gt(bottom(c, k), top(c, j));
}
HY_INLINE mask gap_down(const candles *c, size_t k, size_t j) {
  return v_lt(top(c, k), bottom(c, j));
}
HY_INLINE mask bars_gap_up(const candles *c, size_t k, size_t j) {
  return v_gt(low_at(c, k), high_at(c, j));
}
HY_INLINE mask bars_gap_down(const candles *c, size_t k, size_t j) {
  return v_lt(high_at(c, k), low_at(c, j));
}

/* low <= x <= high, low < x < high, and |x - y| <= by. */
HY_INLINE mask within(lanes x, lanes low, lanes high) { return m_and(v_ge(x, low), v_le(x, high)); }
HY_INLINE mask inside(lanes x, lanes low, lanes high) { return m_and(v_gt(x, low), v_lt(x, high)); }
HY_INLINE mask about(lanes x, lanes y, lanes by) { return within(x, y - by, y + by); }

HY_INLINE mask all3(mask a, mask b, mask c) { return m_and(m_and(a, b), c); }
HY_INLINE mask all4(mask a, mask b, mask c, mask d) { return m_and(m_and(a, b), m_and(c, d)); }
HY_INLINE mask all5(mask a, mask b, mask c, mask d, mask e) { return m_and(all4(a, b, c, d), e); }

/* The same colour at bars k and j. */
HY_INLINE mask same_colour(const candles *c, size_t k, size_t j) {
  return m_or(m_and(white(c, k), white(c, j)), m_and(black(c, k), black(c, j)));
}
HY_INLINE mask other_colour(const candles *c, size_t k, size_t j) {
  return m_or(m_and(white(c, k), black(c, j)), m_and(black(c, k), white(c, j)));
}

/* Verdicts: 100, -100, or with bar k's colour, where the pattern stands; 0 elsewhere. */
HY_INLINE lanes bullish(mask m) { return v_only(m, v_set(100.0)); }
HY_INLINE lanes bearish(mask m) { return v_only(m, v_set(-100.0)); }
HY_INLINE lanes either(mask bull, mask bear) { return v_sel(bull, v_set(100.0), bearish(bear)); }
HY_INLINE lanes coloured(const candles *c, size_t k, mask m) {
  return v_only(m, v_sel(white(c, k), v_set(100.0), v_set(-100.0)));
}
HY_INLINE lanes against(const candles *c, size_t k, mask m) {
  return v_only(m, v_sel(white(c, k), v_set(-100.0), v_set(100.0)));
}

/* The bars that a pattern speaks of, 0 .. n-1, and the oldest that it needs. */
HY_INLINE candles candles_at(const double *const *in, size_t n, size_t last) {
  candles c = {in, v_zero()};
  for (size_t k = 0; k < n; k++)
    c.seen += (open_at(&c, k) + high_at(&c, k)) + (low_at(&c, k) + close_at(&c, k));
  c.seen += (open_at(&c, last) + high_at(&c, last)) + (low_at(&c, last) + close_at(&c, last));
  return c;
}

/* The row of the leaf name(candles *, const double *p): it speaks of n bars, its look-back is
 * last_bar. */
#define PATTERN(name, n, last_bar)                                                                 \
  HY_INLINE void name##_row(const double *const *in, const double *p, lanes *out) {                \
    candles c = candles_at(in, n, last_bar);                                                       \
    const lanes verdict = name(&c, p);                                                             \
    out[0] = v_keep(v_ok(c.seen), verdict);                                                        \
  }                                                                                                \
  static void name##_step(const hy__ind_step *s) { rows_map(s, 4, 1, name##_row); }                \
  static size_t name##_last(const double *p) { return (void)p, last_bar; }                         \
  HY_IND_CODE(name) = {.step = name##_step, .lookback = name##_last, .history = name##_last}

#endif
