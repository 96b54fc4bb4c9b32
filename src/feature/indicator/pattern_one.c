/* SPDX-License-Identifier: Apache-2.0
 * Patterns of one candle, as TA-Lib has them. Inputs: open, high, low, close. */
#include "feature/lane/candle.h"

/* FORM is an expression in the candles c. */
#define ONE(name, FORM)                                                                            \
  HY_INLINE lanes name(candles *c, const double *p) { return (void)p, FORM; }                      \
  PATTERN(name, 1, 10)

ONE(cdl_doji, bullish(doji(c, 0)));
ONE(cdl_dragonflydoji, bullish(all3(doji(c, 0), no_upper(c, 0), has_lower(c, 0))));
ONE(cdl_gravestonedoji, bullish(all3(doji(c, 0), no_lower(c, 0), has_upper(c, 0))));
ONE(cdl_longleggeddoji, bullish(m_and(doji(c, 0), m_or(long_lower(c, 0), long_upper(c, 0)))));
ONE(cdl_takuri, bullish(all3(doji(c, 0), no_upper(c, 0), v_gt(lower(c, 0), two_bodies(c, 0)))));

ONE(cdl_marubozu, coloured(c, 0, all3(long_body(c, 0), no_upper(c, 0), no_lower(c, 0))));
ONE(cdl_longline, coloured(c, 0, all3(long_body(c, 0), short_upper(c, 0), short_lower(c, 0))));
ONE(cdl_shortline, coloured(c, 0, all3(short_body(c, 0), short_upper(c, 0), short_lower(c, 0))));
ONE(cdl_spinning, coloured(c, 0, all3(short_body(c, 0), long_upper(c, 0), long_lower(c, 0))));
ONE(cdl_highwave, coloured(c, 0,
                           all3(short_body(c, 0), v_gt(upper(c, 0), two_bodies(c, 0)),
                                v_gt(lower(c, 0), two_bodies(c, 0)))));
#undef ONE

/* Without a shadow where it opens, or where it closes. */
HY_INLINE lanes cdl_belthold(candles *c, const double *p) {
  const mask clean = m_or(m_and(white(c, 0), no_lower(c, 0)), m_and(black(c, 0), no_upper(c, 0)));
  (void)p;
  return coloured(c, 0, m_and(long_body(c, 0), clean));
}
PATTERN(cdl_belthold, 1, 10);

HY_INLINE lanes cdl_closingmarubozu(candles *c, const double *p) {
  const mask clean = m_or(m_and(white(c, 0), no_upper(c, 0)), m_and(black(c, 0), no_lower(c, 0)));
  (void)p;
  return coloured(c, 0, m_and(long_body(c, 0), clean));
}
PATTERN(cdl_closingmarubozu, 1, 10);

/* Long shadows, and the body in the middle of the range. */
HY_INLINE lanes cdl_rickshawman(candles *c, const double *p) {
  const lanes middle = low_at(c, 0) + range(c, 0) / v_set(2.0), by = near_by(c, 0);
  const mask centred = m_and(v_le(bottom(c, 0), middle + by), v_ge(top(c, 0), middle - by));
  (void)p;
  return bullish(all4(doji(c, 0), long_lower(c, 0), long_upper(c, 0), centred));
}
PATTERN(cdl_rickshawman, 1, 10);
