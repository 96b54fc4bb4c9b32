/* SPDX-License-Identifier: Apache-2.0
 * The shape of one bar: Alpha158's nine, the balance of power, body and wicks as shares of the
 * range. Inputs: open, high, low, close.
 */
#include "feature/lane/window.h"

typedef struct bar {
  lanes open, high, low, close;
} bar;

HY_INLINE bar bar_at(const double *const *in) {
  return (bar){v_load(in[0]), v_load(in[1]), v_load(in[2]), v_load(in[3])};
}
HY_INLINE lanes upper(bar b) { return b.high - v_max(b.open, b.close); }
HY_INLINE lanes lower(bar b) { return v_min(b.open, b.close) - b.low; }
HY_INLINE lanes shift(bar b) { return v_set(2.0) * b.close - b.high - b.low; }
/* Alpha158 adds 1e-12 to the range that it divides by. */
HY_INLINE lanes range(bar b) { return b.high - b.low + v_set(1e-12); }
HY_INLINE lanes over_open(lanes a, bar b) { return v_ratio(a, b.open, v_missing()); }

/* A row per form: FORM is an expression in the bar b. Missing where any field is. */
#define CANDLE(name, FORM)                                                                         \
  HY_INLINE void name##_row(const double *const *in, const double *p, lanes *out) {                \
    const bar b = bar_at(in);                                                                      \
    (void)p;                                                                                       \
    out[0] = v_keep(v_ok(b.open + b.high + b.low + b.close), FORM);                                \
  }                                                                                                \
  static void name##_step(const hy__ind_step *s) { rows_map(s, 4, 1, name##_row); }                \
  HY_IND_CODE(name) = {.step = name##_step}

CANDLE(kmid, over_open(b.close - b.open, b));
CANDLE(klen, over_open(b.high - b.low, b));
CANDLE(kmid2, (b.close - b.open) / range(b));
CANDLE(kup, over_open(upper(b), b));
CANDLE(kup2, upper(b) / range(b));
CANDLE(klow, over_open(lower(b), b));
CANDLE(klow2, lower(b) / range(b));
CANDLE(ksft, over_open(shift(b), b));
CANDLE(ksft2, shift(b) / range(b));
CANDLE(bop, v_ratio(b.close - b.open, b.high - b.low, v_zero()));
CANDLE(body_ratio, v_ratio(v_abs(b.close - b.open), b.high - b.low, v_zero()));
CANDLE(upper_wick, v_ratio(upper(b), b.high - b.low, v_zero()));
CANDLE(lower_wick, v_ratio(lower(b), b.high - b.low, v_zero()));
#undef CANDLE
