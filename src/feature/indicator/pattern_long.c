/* SPDX-License-Identifier: Apache-2.0
 * Patterns of four and five candles, and the hikkake with its confirmation, as TA-Lib has them.
 * Inputs: open, high, low, close. */
#include "feature/lane/candle.h"

/* Bar k opens within or near the body of the one before. */
HY_INLINE mask opens_near(candles *c, size_t k) {
  const lanes by = near_by(c, k + 1);
  return within(open_at(c, k), bottom(c, k + 1) - by, top(c, k + 1) + by);
}
HY_INLINE lanes cdl_3linestrike(candles *c, const double *p) {
  const mask colours = all3(same_colour(c, 3, 2), same_colour(c, 2, 1), other_colour(c, 1, 0));
  const mask opens = m_and(opens_near(c, 2), opens_near(c, 1));
  const lanes c1 = close_at(c, 1), c2 = close_at(c, 2), c3 = close_at(c, 3);
  const mask up = all5(white(c, 1), v_gt(c1, c2), v_gt(c2, c3), v_gt(open_at(c, 0), c1),
                       v_lt(close_at(c, 0), open_at(c, 3)));
  const mask down = all5(black(c, 1), v_lt(c1, c2), v_lt(c2, c3), v_lt(open_at(c, 0), c1),
                         v_gt(close_at(c, 0), open_at(c, 3)));
  (void)p;
  return coloured(c, 1, all3(colours, opens, m_or(up, down)));
}
PATTERN(cdl_3linestrike, 4, 8);

HY_INLINE lanes cdl_concealbabyswall(candles *c, const double *p) {
  const mask colours = all4(black(c, 3), black(c, 2), black(c, 1), black(c, 0));
  const mask clean = all4(no_lower(c, 3), no_upper(c, 3), no_lower(c, 2), no_upper(c, 2));
  const mask third = all3(gap_down(c, 1, 2), has_upper(c, 1), v_gt(high_at(c, 1), close_at(c, 2)));
  const mask around = m_and(v_gt(high_at(c, 0), high_at(c, 1)), v_lt(low_at(c, 0), low_at(c, 1)));
  return (void)p, bullish(all4(colours, clean, third, around));
}
PATTERN(cdl_concealbabyswall, 4, 13);

/* Highs and lows of bar k both above, or both below, those of the bar before. */
HY_INLINE mask higher(const candles *c, size_t k) {
  return m_and(v_gt(high_at(c, k), high_at(c, k + 1)), v_gt(low_at(c, k), low_at(c, k + 1)));
}
HY_INLINE mask lower_bar(const candles *c, size_t k) {
  return m_and(v_lt(high_at(c, k), high_at(c, k + 1)), v_lt(low_at(c, k), low_at(c, k + 1)));
}
HY_INLINE lanes cdl_breakaway(candles *c, const double *p) {
  const mask colours = all3(same_colour(c, 4, 3), same_colour(c, 3, 1), other_colour(c, 1, 0));
  const mask up = all5(black(c, 4), gap_down(c, 3, 4), lower_bar(c, 2), lower_bar(c, 1),
                       inside(close_at(c, 0), open_at(c, 3), close_at(c, 4)));
  const mask down = all5(white(c, 4), gap_up(c, 3, 4), higher(c, 2), higher(c, 1),
                         inside(close_at(c, 0), close_at(c, 4), open_at(c, 3)));
  (void)p;
  return coloured(c, 0, all3(long_body(c, 4), colours, m_or(up, down)));
}
PATTERN(cdl_breakaway, 5, 14);

HY_INLINE lanes cdl_ladderbottom(candles *c, const double *p) {
  const mask colours = all5(black(c, 4), black(c, 3), black(c, 2), black(c, 1), white(c, 0));
  const mask opens = m_and(v_gt(open_at(c, 4), open_at(c, 3)), v_gt(open_at(c, 3), open_at(c, 2)));
  const mask closes =
      m_and(v_gt(close_at(c, 4), close_at(c, 3)), v_gt(close_at(c, 3), close_at(c, 2)));
  const mask breaks =
      m_and(v_gt(open_at(c, 0), open_at(c, 1)), v_gt(close_at(c, 0), high_at(c, 1)));
  return (void)p, bullish(all5(colours, opens, closes, has_upper(c, 1), breaks));
}
PATTERN(cdl_ladderbottom, 5, 14);

/* p: penetration. */
HY_INLINE lanes cdl_mathold(candles *c, const double *p) {
  const mask sizes = all4(long_body(c, 4), short_body(c, 3), short_body(c, 2), short_body(c, 1));
  const mask colours = all4(white(c, 4), black(c, 3), white(c, 0), gap_up(c, 3, 4));
  const lanes limit = close_at(c, 4) - body(c, 4) * v_set(p[0]);
  const mask hold = m_and(inside(bottom(c, 2), limit, close_at(c, 4)),
                          inside(bottom(c, 1), limit, close_at(c, 4)));
  const mask falls = m_and(v_lt(top(c, 2), open_at(c, 3)), v_lt(top(c, 1), top(c, 2)));
  const lanes highest = v_max(v_max(high_at(c, 3), high_at(c, 2)), high_at(c, 1));
  const mask breaks = m_and(v_gt(open_at(c, 0), close_at(c, 1)), v_gt(close_at(c, 0), highest));
  return bullish(all5(sizes, colours, hold, falls, breaks));
}
PATTERN(cdl_mathold, 5, 14);

/* Small candles against a long one, within its range, and another long one that goes on. */
HY_INLINE mask meets_first(const candles *c, size_t k) {
  return m_and(v_lt(bottom(c, k), high_at(c, 4)), v_gt(top(c, k), low_at(c, 4)));
}
HY_INLINE lanes cdl_risefall3methods(candles *c, const double *p) {
  const mask sizes =
      all5(long_body(c, 4), short_body(c, 3), short_body(c, 2), short_body(c, 1), long_body(c, 0));
  const mask colours = all4(other_colour(c, 4, 3), same_colour(c, 3, 2), same_colour(c, 2, 1),
                            other_colour(c, 1, 0));
  const mask held = all3(meets_first(c, 3), meets_first(c, 2), meets_first(c, 1));
  const lanes c1 = close_at(c, 1), c2 = close_at(c, 2), c3 = close_at(c, 3);
  const mask rise = all5(white(c, 4), v_lt(c2, c3), v_lt(c1, c2), v_gt(open_at(c, 0), c1),
                         v_gt(close_at(c, 0), close_at(c, 4)));
  const mask fall = all5(black(c, 4), v_gt(c2, c3), v_gt(c1, c2), v_lt(open_at(c, 0), c1),
                         v_lt(close_at(c, 0), close_at(c, 4)));
  const mask before = all3(sizes, colours, held);
  (void)p;
  return either(m_and(before, rise), m_and(before, fall));
}
PATTERN(cdl_risefall3methods, 5, 14);

/* An inside bar broken on one side, then within three bars a close beyond it on the other: the
 * break gives 100 (down) or -100 (up), the confirmation doubles it, once. */
typedef lanes (*trap_fn)(candles *c, size_t k);

HY_INLINE mask lies_inside(const candles *c, size_t k) {
  return m_and(v_lt(high_at(c, k), high_at(c, k + 1)), v_gt(low_at(c, k), low_at(c, k + 1)));
}
HY_INLINE lanes trap(candles *c, size_t k) {
  const mask held = lies_inside(c, k + 1);
  return either(m_and(held, lower_bar(c, k)), m_and(held, higher(c, k)));
}
/* Bar k closes beyond the inside bar of the trap at bar j. */
HY_INLINE mask confirms(const candles *c, size_t k, size_t j, lanes trapped) {
  const mask up = m_and(v_gt(trapped, v_zero()), v_gt(close_at(c, k), high_at(c, j + 1)));
  const mask down = m_and(v_lt(trapped, v_zero()), v_lt(close_at(c, k), low_at(c, j + 1)));
  return m_or(up, down);
}
HY_INLINE lanes with_confirmation(candles *c, trap_fn form) {
  const lanes none = v_zero();
  const lanes now = form(c, 0), t1 = form(c, 1), t2 = form(c, 2), t3 = form(c, 3);
  const mask quiet1 = v_eq(t1, none), quiet2 = v_eq(t2, none);
  const mask first = confirms(c, 0, 1, t1);
  const mask second = m_andnot(m_and(quiet1, confirms(c, 0, 2, t2)), confirms(c, 1, 2, t2));
  const mask used = m_or(confirms(c, 2, 3, t3), confirms(c, 1, 3, t3));
  const mask third = m_andnot(all3(quiet1, quiet2, confirms(c, 0, 3, t3)), used);
  const lanes late = v_only(first, t1) + (v_only(second, t2) + v_only(third, t3));
  return v_sel(v_eq(now, none), late + late, now);
}
HY_INLINE lanes cdl_hikkake(candles *c, const double *p) {
  return (void)p, with_confirmation(c, trap);
}
PATTERN(cdl_hikkake, 6, 5);

/* Two inside bars, the first of them closing at the end that is broken. */
HY_INLINE lanes modified_trap(candles *c, size_t k) {
  const mask held = m_and(lies_inside(c, k + 2), lies_inside(c, k + 1));
  const lanes by = near_by(c, k + 2), close = close_at(c, k + 2);
  const mask down = m_and(lower_bar(c, k), v_le(close, low_at(c, k + 2) + by));
  const mask up = m_and(higher(c, k), v_ge(close, high_at(c, k + 2) - by));
  return either(m_and(held, down), m_and(held, up));
}
HY_INLINE lanes cdl_hikkakemod(candles *c, const double *p) {
  return (void)p, with_confirmation(c, modified_trap);
}
PATTERN(cdl_hikkakemod, 7, 10);
