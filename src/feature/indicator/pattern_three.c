/* SPDX-License-Identifier: Apache-2.0
 * Patterns of three candles that turn or gap, as TA-Lib has them. Inputs: open, high, low, close.
 */
#include "feature/lane/candle.h"

/* A long candle, a small one beyond it, and one that comes back by a share (p: penetration) of the
 * first one's body. */
HY_INLINE mask comes_up(candles *c, double share) {
  const lanes limit = close_at(c, 2) + body(c, 2) * v_set(share);
  const mask back =
      all3(v_gt(body(c, 0), body_usual(c, 0)), white(c, 0), v_gt(close_at(c, 0), limit));
  return all3(long_body(c, 2), black(c, 2), back);
}
HY_INLINE mask comes_down(candles *c, double share) {
  const lanes limit = close_at(c, 2) - body(c, 2) * v_set(share);
  const mask back =
      all3(v_gt(body(c, 0), body_usual(c, 0)), black(c, 0), v_lt(close_at(c, 0), limit));
  return all3(long_body(c, 2), white(c, 2), back);
}

HY_INLINE lanes cdl_morning(candles *c, const double *p) {
  return bullish(all3(comes_up(c, p[0]), not_long(c, 1), gap_down(c, 1, 2)));
}
PATTERN(cdl_morning, 3, 12);
HY_INLINE lanes cdl_evening(candles *c, const double *p) {
  return bearish(all3(comes_down(c, p[0]), not_long(c, 1), gap_up(c, 1, 2)));
}
PATTERN(cdl_evening, 3, 12);
HY_INLINE lanes cdl_morningdojistar(candles *c, const double *p) {
  return bullish(all3(comes_up(c, p[0]), doji(c, 1), gap_down(c, 1, 2)));
}
PATTERN(cdl_morningdojistar, 3, 12);
HY_INLINE lanes cdl_eveningdojistar(candles *c, const double *p) {
  return bearish(all3(comes_down(c, p[0]), doji(c, 1), gap_up(c, 1, 2)));
}
PATTERN(cdl_eveningdojistar, 3, 12);
HY_INLINE lanes cdl_abandonedbaby(candles *c, const double *p) {
  const mask below = m_and(bars_gap_down(c, 1, 2), bars_gap_up(c, 0, 1));
  const mask above = m_and(bars_gap_up(c, 1, 2), bars_gap_down(c, 0, 1));
  const mask star = doji(c, 1);
  return either(all3(comes_up(c, p[0]), star, below), all3(comes_down(c, p[0]), star, above));
}
PATTERN(cdl_abandonedbaby, 3, 12);

/* Three dojis by the measure of the first, the middle one off. */
HY_INLINE lanes cdl_tristar(candles *c, const double *p) {
  const lanes small = tenth(c, 2);
  const mask dojis =
      all3(v_le(body(c, 2), small), v_le(body(c, 1), small), v_le(body(c, 0), small));
  const mask up = m_and(gap_up(c, 1, 2), v_lt(top(c, 0), top(c, 1)));
  const mask down = m_and(gap_down(c, 1, 2), v_gt(bottom(c, 0), bottom(c, 1)));
  (void)p;
  return either(m_and(dojis, down), m_and(dojis, up));
}
PATTERN(cdl_tristar, 3, 12);

/* A harami, or an engulfing, and a third that confirms it. */
HY_INLINE lanes cdl_inside(candles *c, const double *p) {
  const mask held = m_and(v_lt(top(c, 1), top(c, 2)), v_gt(bottom(c, 1), bottom(c, 2)));
  const mask sizes = m_and(long_body(c, 2), not_long(c, 1));
  const mask down = all3(white(c, 2), black(c, 0), v_lt(close_at(c, 0), open_at(c, 2)));
  const mask up = all3(black(c, 2), white(c, 0), v_gt(close_at(c, 0), open_at(c, 2)));
  const mask before = m_and(sizes, held);
  (void)p;
  return either(m_and(before, up), m_and(before, down));
}
PATTERN(cdl_inside, 3, 12);
HY_INLINE lanes cdl_outside(candles *c, const double *p) {
  const mask around = m_and(v_gt(top(c, 1), top(c, 2)), v_lt(bottom(c, 1), bottom(c, 2)));
  const mask up = m_and(white(c, 1), v_gt(close_at(c, 0), close_at(c, 1)));
  const mask down = m_and(black(c, 1), v_lt(close_at(c, 0), close_at(c, 1)));
  (void)p;
  return coloured(c, 1, all3(other_colour(c, 1, 2), around, m_or(up, down)));
}
PATTERN(cdl_outside, 3, 3);

/* A long white candle, and a black one above it. */
HY_INLINE mask crow_above(candles *c) {
  return all4(white(c, 2), long_body(c, 2), black(c, 1), gap_up(c, 1, 2));
}
HY_INLINE lanes cdl_2crows(candles *c, const double *p) {
  const mask opens = inside(open_at(c, 0), close_at(c, 1), open_at(c, 1));
  const mask closes = inside(close_at(c, 0), open_at(c, 2), close_at(c, 2));
  return (void)p, bearish(all4(crow_above(c), black(c, 0), opens, closes));
}
PATTERN(cdl_2crows, 3, 12);
HY_INLINE lanes cdl_upsidegap2crows(candles *c, const double *p) {
  const mask opens = v_gt(open_at(c, 0), open_at(c, 1));
  const mask closes = inside(close_at(c, 0), close_at(c, 2), close_at(c, 1));
  const mask around = all3(black(c, 0), opens, closes);
  return (void)p, bearish(all3(crow_above(c), not_long(c, 1), around));
}
PATTERN(cdl_upsidegap2crows, 3, 12);

HY_INLINE lanes cdl_unique3river(candles *c, const double *p) {
  const mask second = all4(black(c, 1), v_gt(close_at(c, 1), close_at(c, 2)),
                           v_le(open_at(c, 1), open_at(c, 2)), v_lt(low_at(c, 1), low_at(c, 2)));
  const mask third = all3(short_body(c, 0), white(c, 0), v_gt(open_at(c, 0), low_at(c, 1)));
  return (void)p, bullish(all4(long_body(c, 2), black(c, 2), second, third));
}
PATTERN(cdl_unique3river, 3, 12);

HY_INLINE lanes cdl_sticksandwich(candles *c, const double *p) {
  const mask colours = all3(black(c, 2), white(c, 1), black(c, 0));
  const mask meet = about(close_at(c, 0), close_at(c, 2), equal_by(c, 2));
  return (void)p, bullish(all3(colours, v_gt(low_at(c, 1), close_at(c, 2)), meet));
}
PATTERN(cdl_sticksandwich, 3, 7);

/* A gap, and a candle of the other colour that comes back into it and leaves it open. */
HY_INLINE lanes cdl_tasukigap(candles *c, const double *p) {
  const mask alike = v_lt(v_abs(body(c, 1) - body(c, 0)), near_by(c, 1));
  const mask opens = inside(open_at(c, 0), bottom(c, 1), top(c, 1));
  const mask up = all4(gap_up(c, 1, 2), white(c, 1), black(c, 0),
                       inside(close_at(c, 0), top(c, 2), open_at(c, 1)));
  const mask down = all4(gap_down(c, 1, 2), black(c, 1), white(c, 0),
                         inside(close_at(c, 0), open_at(c, 1), bottom(c, 2)));
  (void)p;
  return coloured(c, 1, all3(alike, opens, m_or(up, down)));
}
PATTERN(cdl_tasukigap, 3, 7);

HY_INLINE lanes cdl_gapsidesidewhite(candles *c, const double *p) {
  const mask alike = m_and(about(body(c, 0), body(c, 1), near_by(c, 1)),
                           about(open_at(c, 0), open_at(c, 1), equal_by(c, 1)));
  const mask pair = all3(white(c, 1), white(c, 0), alike);
  const mask up = m_and(gap_up(c, 1, 2), gap_up(c, 0, 2));
  const mask down = m_and(gap_down(c, 1, 2), gap_down(c, 0, 2));
  (void)p;
  return either(m_and(pair, up), m_and(pair, down));
}
PATTERN(cdl_gapsidesidewhite, 3, 7);

HY_INLINE lanes cdl_xsidegap3methods(candles *c, const double *p) {
  const mask colours = m_and(same_colour(c, 2, 1), other_colour(c, 1, 0));
  const mask fills = m_and(inside(open_at(c, 0), bottom(c, 1), top(c, 1)),
                           inside(close_at(c, 0), bottom(c, 2), top(c, 2)));
  const mask away =
      m_or(m_and(white(c, 2), gap_up(c, 1, 2)), m_and(black(c, 2), gap_down(c, 1, 2)));
  (void)p;
  return coloured(c, 2, all3(colours, fills, away));
}
PATTERN(cdl_xsidegap3methods, 3, 2);
