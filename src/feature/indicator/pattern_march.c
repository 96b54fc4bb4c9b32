/* SPDX-License-Identifier: Apache-2.0
 * Patterns of three candles of one colour, as TA-Lib has them. Inputs: open, high, low, close. */
#include "feature/lane/candle.h"

HY_INLINE mask whites3(const candles *c) { return all3(white(c, 2), white(c, 1), white(c, 0)); }
HY_INLINE mask blacks3(const candles *c) { return all3(black(c, 2), black(c, 1), black(c, 0)); }
HY_INLINE mask closes_rise(const candles *c) {
  return m_and(v_gt(close_at(c, 0), close_at(c, 1)), v_gt(close_at(c, 1), close_at(c, 2)));
}
HY_INLINE mask closes_fall(const candles *c) {
  return m_and(v_lt(close_at(c, 0), close_at(c, 1)), v_lt(close_at(c, 1), close_at(c, 2)));
}
/* Bar k opens higher than the one before, but not far above its close. */
HY_INLINE mask opens_in(candles *c, size_t k) {
  return m_and(v_gt(open_at(c, k), open_at(c, k + 1)),
               v_le(open_at(c, k), close_at(c, k + 1) + near_by(c, k + 1)));
}

HY_INLINE lanes cdl_3soldiers(candles *c, const double *p) {
  const mask clean = all3(no_upper(c, 2), no_upper(c, 1), no_upper(c, 0));
  const mask opens = m_and(opens_in(c, 1), opens_in(c, 0));
  const mask keep = all3(v_gt(body(c, 1), body(c, 2) - far_by(c, 2)),
                         v_gt(body(c, 0), body(c, 1) - far_by(c, 1)), long_body(c, 0));
  return (void)p, bullish(all5(whites3(c), closes_rise(c), clean, opens, keep));
}
PATTERN(cdl_3soldiers, 3, 12);

HY_INLINE lanes cdl_3crows(candles *c, const double *p) {
  const mask clean = all3(no_lower(c, 2), no_lower(c, 1), no_lower(c, 0));
  const mask opens = m_and(inside(open_at(c, 1), close_at(c, 2), open_at(c, 2)),
                           inside(open_at(c, 0), close_at(c, 1), open_at(c, 1)));
  const mask after = m_and(white(c, 3), v_gt(high_at(c, 3), close_at(c, 2)));
  return (void)p, bearish(all5(blacks3(c), closes_fall(c), clean, opens, after));
}
PATTERN(cdl_3crows, 4, 13);

HY_INLINE lanes cdl_identical3crows(candles *c, const double *p) {
  const mask clean = all3(no_lower(c, 2), no_lower(c, 1), no_lower(c, 0));
  const mask opens = m_and(about(open_at(c, 1), close_at(c, 2), equal_by(c, 2)),
                           about(open_at(c, 0), close_at(c, 1), equal_by(c, 1)));
  return (void)p, bearish(all4(blacks3(c), closes_fall(c), clean, opens));
}
PATTERN(cdl_identical3crows, 3, 12);

/* Advances that tire: bodies shrink or upper shadows grow. */
HY_INLINE lanes cdl_advanceblock(candles *c, const double *p) {
  const mask opens = m_and(opens_in(c, 1), opens_in(c, 0));
  const mask first = m_and(long_body(c, 2), short_upper(c, 2));
  const mask second_shrinks = v_lt(body(c, 1), body(c, 2) - far_by(c, 2));
  const mask no_recovery = v_lt(body(c, 0), body(c, 1) + near_by(c, 1));
  const mask third_shrinks = v_lt(body(c, 0), body(c, 1) - far_by(c, 1));
  const mask smaller = v_lt(body(c, 0), body(c, 1)), smaller_before = v_lt(body(c, 1), body(c, 2));
  const mask shadowed =
      m_or(v_gt(upper(c, 0), shadow_usual(c, 0)), v_gt(upper(c, 1), shadow_usual(c, 1)));
  const mask tired =
      m_or(m_or(m_and(second_shrinks, no_recovery), third_shrinks),
           m_or(all3(smaller, smaller_before, shadowed), m_and(smaller, long_upper(c, 0))));
  return (void)p, bearish(all5(whites3(c), closes_rise(c), opens, first, tired));
}
PATTERN(cdl_advanceblock, 3, 12);

HY_INLINE lanes cdl_stalledpattern(candles *c, const double *p) {
  const mask sizes = all4(long_body(c, 2), long_body(c, 1), no_upper(c, 1), short_body(c, 0));
  const mask rides = v_ge(open_at(c, 0), close_at(c, 1) - body(c, 0) - near_by(c, 1));
  return (void)p, bearish(all5(whites3(c), closes_rise(c), sizes, opens_in(c, 1), rides));
}
PATTERN(cdl_stalledpattern, 3, 12);

HY_INLINE lanes cdl_3starsinsouth(candles *c, const double *p) {
  const mask first = m_and(long_body(c, 2), long_lower(c, 2));
  const mask second = all4(
      v_lt(body(c, 1), body(c, 2)),
      m_and(v_gt(open_at(c, 1), close_at(c, 2)), v_le(open_at(c, 1), high_at(c, 2))),
      m_and(v_lt(low_at(c, 1), close_at(c, 2)), v_ge(low_at(c, 1), low_at(c, 2))), has_lower(c, 1));
  const mask third = all3(short_body(c, 0), no_upper(c, 0), no_lower(c, 0));
  const mask lies_in = m_and(v_gt(low_at(c, 0), low_at(c, 1)), v_lt(high_at(c, 0), high_at(c, 1)));
  return (void)p, bullish(all5(blacks3(c), first, second, third, lies_in));
}
PATTERN(cdl_3starsinsouth, 3, 12);
