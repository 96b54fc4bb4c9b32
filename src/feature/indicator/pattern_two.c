/* SPDX-License-Identifier: Apache-2.0
 * Patterns of two candles, as TA-Lib has them. Inputs: open, high, low, close. */
#include "feature/lane/candle.h"

/* A short body at one end of a long shadow. */
HY_INLINE mask hammer_form(candles *c) {
  return all3(short_body(c, 0), long_lower(c, 0), no_upper(c, 0));
}
HY_INLINE mask turned_form(candles *c) {
  return all3(short_body(c, 0), long_upper(c, 0), no_lower(c, 0));
}

HY_INLINE lanes cdl_hammer(candles *c, const double *p) {
  const mask at_low = v_le(bottom(c, 0), low_at(c, 1) + near_by(c, 1));
  return (void)p, bullish(m_and(hammer_form(c), at_low));
}
PATTERN(cdl_hammer, 2, 11);

HY_INLINE lanes cdl_hanging(candles *c, const double *p) {
  const mask at_high = v_ge(bottom(c, 0), high_at(c, 1) - near_by(c, 1));
  return (void)p, bearish(m_and(hammer_form(c), at_high));
}
PATTERN(cdl_hanging, 2, 11);

HY_INLINE lanes cdl_inv_hammer(candles *c, const double *p) {
  return (void)p, bullish(m_and(turned_form(c), gap_down(c, 0, 1)));
}
PATTERN(cdl_inv_hammer, 2, 11);

HY_INLINE lanes cdl_shooting(candles *c, const double *p) {
  return (void)p, bearish(m_and(turned_form(c), gap_up(c, 0, 1)));
}
PATTERN(cdl_shooting, 2, 11);

/* A body of the other colour around the one before; 80 where they share an end. */
HY_INLINE lanes cdl_engulfing(candles *c, const double *p) {
  const mask over = v_ge(top(c, 0), top(c, 1)), under = v_le(bottom(c, 0), bottom(c, 1));
  const mask above = v_gt(top(c, 0), top(c, 1)), below = v_lt(bottom(c, 0), bottom(c, 1));
  const mask around = all3(over, under, m_or(above, below));
  const lanes share = v_sel(m_and(above, below), v_set(1.0), v_set(0.8));
  (void)p;
  return share * coloured(c, 0, m_and(other_colour(c, 0, 1), around));
}
PATTERN(cdl_engulfing, 2, 2);

/* A body within the long one before it; 80 where they share an end. */
HY_INLINE lanes held(candles *c, mask small) {
  const mask within_body = m_and(v_le(top(c, 0), top(c, 1)), v_ge(bottom(c, 0), bottom(c, 1)));
  const mask inside_body = m_and(v_lt(top(c, 0), top(c, 1)), v_gt(bottom(c, 0), bottom(c, 1)));
  const lanes share = v_sel(inside_body, v_set(1.0), v_set(0.8));
  return share * against(c, 1, all3(long_body(c, 1), small, within_body));
}
HY_INLINE lanes cdl_harami(candles *c, const double *p) { return (void)p, held(c, not_long(c, 0)); }
PATTERN(cdl_harami, 2, 11);
HY_INLINE lanes cdl_haramicross(candles *c, const double *p) {
  return (void)p, held(c, doji(c, 0));
}
PATTERN(cdl_haramicross, 2, 11);

HY_INLINE lanes cdl_piercing(candles *c, const double *p) {
  const mask fall = m_and(black(c, 1), long_body(c, 1)), rise = m_and(white(c, 0), long_body(c, 0));
  const lanes middle = close_at(c, 1) + body(c, 1) * v_set(0.5);
  const mask deep = inside(close_at(c, 0), middle, open_at(c, 1));
  (void)p;
  return bullish(all4(fall, rise, v_lt(open_at(c, 0), low_at(c, 1)), deep));
}
PATTERN(cdl_piercing, 2, 11);

/* p: penetration. */
HY_INLINE lanes cdl_darkcloud(candles *c, const double *p) {
  const mask rise = m_and(white(c, 1), long_body(c, 1));
  const lanes limit = close_at(c, 1) - body(c, 1) * v_set(p[0]);
  const mask deep = inside(close_at(c, 0), open_at(c, 1), limit);
  return bearish(all4(rise, black(c, 0), v_gt(open_at(c, 0), high_at(c, 1)), deep));
}
PATTERN(cdl_darkcloud, 2, 11);

HY_INLINE lanes cdl_dojistar(candles *c, const double *p) {
  const mask away =
      m_or(m_and(white(c, 1), gap_up(c, 0, 1)), m_and(black(c, 1), gap_down(c, 0, 1)));
  return (void)p, against(c, 1, all3(long_body(c, 1), doji(c, 0), away));
}
PATTERN(cdl_dojistar, 2, 11);

HY_INLINE lanes cdl_counterattack(candles *c, const double *p) {
  const mask meet = about(close_at(c, 0), close_at(c, 1), equal_by(c, 1));
  const mask both_long = m_and(long_body(c, 1), long_body(c, 0));
  return (void)p, coloured(c, 0, all3(other_colour(c, 0, 1), both_long, meet));
}
PATTERN(cdl_counterattack, 2, 11);

HY_INLINE lanes cdl_separatinglines(candles *c, const double *p) {
  const mask meet = about(open_at(c, 0), open_at(c, 1), equal_by(c, 1));
  const mask clean = m_or(m_and(white(c, 0), no_lower(c, 0)), m_and(black(c, 0), no_upper(c, 0)));
  return (void)p, coloured(c, 0, all4(other_colour(c, 0, 1), meet, long_body(c, 0), clean));
}
PATTERN(cdl_separatinglines, 2, 11);

HY_INLINE lanes cdl_homingpigeon(candles *c, const double *p) {
  const mask sizes = m_and(long_body(c, 1), not_long(c, 0));
  const mask lies_in =
      m_and(v_lt(open_at(c, 0), open_at(c, 1)), v_gt(close_at(c, 0), close_at(c, 1)));
  return (void)p, bullish(all4(black(c, 1), black(c, 0), sizes, lies_in));
}
PATTERN(cdl_homingpigeon, 2, 11);

HY_INLINE lanes cdl_matchinglow(candles *c, const double *p) {
  const mask meet = about(close_at(c, 0), close_at(c, 1), equal_by(c, 1));
  return (void)p, bullish(all3(black(c, 1), black(c, 0), meet));
}
PATTERN(cdl_matchinglow, 2, 6);

/* A white candle that opens under a long black one's low and does not get far back. */
HY_INLINE mask weak_return(candles *c) {
  return all4(black(c, 1), long_body(c, 1), white(c, 0), v_lt(open_at(c, 0), low_at(c, 1)));
}
HY_INLINE lanes cdl_onneck(candles *c, const double *p) {
  const mask meet = about(close_at(c, 0), low_at(c, 1), equal_by(c, 1));
  return (void)p, bearish(m_and(weak_return(c), meet));
}
PATTERN(cdl_onneck, 2, 11);
HY_INLINE lanes cdl_inneck(candles *c, const double *p) {
  const lanes close = close_at(c, 1);
  const mask meet = within(close_at(c, 0), close, close + equal_by(c, 1));
  return (void)p, bearish(m_and(weak_return(c), meet));
}
PATTERN(cdl_inneck, 2, 11);
HY_INLINE lanes cdl_thrusting(candles *c, const double *p) {
  const lanes close = close_at(c, 1), middle = close + body(c, 1) * v_set(0.5);
  const mask into =
      m_and(v_gt(close_at(c, 0), close + equal_by(c, 1)), v_le(close_at(c, 0), middle));
  return (void)p, bearish(m_and(weak_return(c), into));
}
PATTERN(cdl_thrusting, 2, 11);

/* Two marubozus that leave a gap. */
HY_INLINE mask clean_body(candles *c, size_t k) {
  return all3(long_body(c, k), no_upper(c, k), no_lower(c, k));
}
HY_INLINE mask kick(candles *c) {
  const mask away =
      m_or(m_and(black(c, 1), bars_gap_up(c, 0, 1)), m_and(white(c, 1), bars_gap_down(c, 0, 1)));
  return all4(other_colour(c, 0, 1), clean_body(c, 1), clean_body(c, 0), away);
}
HY_INLINE lanes cdl_kicking(candles *c, const double *p) {
  return (void)p, coloured(c, 0, kick(c));
}
PATTERN(cdl_kicking, 2, 11);
HY_INLINE lanes cdl_kickingbylength(candles *c, const double *p) {
  const mask kicked = kick(c), newer = v_gt(body(c, 0), body(c, 1));
  (void)p;
  return v_sel(newer, coloured(c, 0, kicked), coloured(c, 1, kicked));
}
PATTERN(cdl_kickingbylength, 2, 11);
