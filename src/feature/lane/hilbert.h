/* SPDX-License-Identifier: Apache-2.0
 * Ehlers' measurement of the dominant cycle in lanes: prices smoothed over four bars, their Hilbert
 * transform (a filter of seven bars, applied four times), and the period from the turn of the phase
 * per bar. All of it is state, so that a lane that is missing holds everything. */
#ifndef HY_FEATURE_HILBERT_H
#define HY_FEATURE_HILBERT_H

#include "feature/lane/lane_real.h"

/* Rows of the state; the newest of each history first. */
enum {
  CYCLE_PRICE = 0, /* of 3 bars */
  CYCLE_SMOOTH = 3,
  CYCLE_TREND = CYCLE_SMOOTH + 7,  /* detrended; 3 bars ago it is the in-phase component */
  CYCLE_TURNED = CYCLE_TREND + 10, /* the quadrature component */
  CYCLE_I2 = CYCLE_TURNED + 7,
  CYCLE_Q2,
  CYCLE_REAL,
  CYCLE_IMAGINARY,
  CYCLE_PERIOD,
  CYCLE_LENGTH, /* the period, smoothed */
  CYCLE_SEEN,   /* bars before this one */
  CYCLE_ROWS
};
enum { CYCLE_DOUBLES = CYCLE_ROWS * HY_LANES };

static const double CYCLE_DEGREES = 57.29577951308232; /* of a radian */

typedef struct cycle {
  lanes row[CYCLE_ROWS];
} cycle;

HY_INLINE cycle cycle_load(const double *state) {
  cycle s;
  for (int i = 0; i < CYCLE_ROWS; i++) s.row[i] = v_load(state + i * HY_LANES);
  return s;
}
HY_INLINE void cycle_save(double *state, const cycle *s) {
  for (int i = 0; i < CYCLE_ROWS; i++) v_store(state + i * HY_LANES, s->row[i]);
}

HY_INLINE void cycle_put(lanes *history, int n, lanes x) {
  for (int i = n - 1; i > 0; i--) history[i] = history[i - 1];
  history[0] = x;
}
HY_INLINE lanes cycle_turn(const lanes *x, lanes gain) {
  const lanes outer = v_set(0.0962) * (x[0] - x[6]), inner = v_set(0.5769) * (x[2] - x[4]);
  return (outer + inner) * gain;
}

/* The period from the phase's turn between two bars, at most half as much again as the last one and
 * at least two thirds of it, within 6..50. */
HY_INLINE void cycle_measure(cycle *s, lanes i2, lanes q2) {
  lanes *const row = s->row;
  const lanes fresh = v_set(0.2), kept = v_set(0.8), old = row[CYCLE_PERIOD];
  const lanes re = fresh * (i2 * row[CYCLE_I2] + q2 * row[CYCLE_Q2]) + kept * row[CYCLE_REAL];
  const lanes im = fresh * (i2 * row[CYCLE_Q2] - q2 * row[CYCLE_I2]) + kept * row[CYCLE_IMAGINARY];
  const mask none = m_or(v_eq(re, v_zero()), v_eq(im, v_zero()));
  const lanes angle = v_atan(im / re) * v_set(CYCLE_DEGREES);
  lanes period = v_sel(none, old, v_set(360.0) / angle);
  period = v_max(v_min(period, v_set(1.5) * old), v_set(0.67) * old);
  period = v_min(v_max(period, v_set(6.0)), v_set(50.0));
  period = fresh * period + kept * old;
  row[CYCLE_I2] = i2;
  row[CYCLE_Q2] = q2;
  row[CYCLE_REAL] = re;
  row[CYCLE_IMAGINARY] = im;
  row[CYCLE_PERIOD] = period;
  row[CYCLE_LENGTH] = v_set(0.33) * period + v_set(0.67) * row[CYCLE_LENGTH];
}

HY_INLINE void cycle_bar(cycle *s, lanes x) {
  lanes *const row = s->row;
  const lanes *const price = row + CYCLE_PRICE;
  const lanes gain = v_set(0.075) * row[CYCLE_PERIOD] + v_set(0.54), fresh = v_set(0.2);
  const lanes sum = v_set(4.0) * x + v_set(3.0) * price[0] + v_set(2.0) * price[1] + price[2];
  cycle_put(row + CYCLE_SMOOTH, 7, sum / v_set(10.0));
  cycle_put(row + CYCLE_TREND, 10, cycle_turn(row + CYCLE_SMOOTH, gain));
  cycle_put(row + CYCLE_TURNED, 7, cycle_turn(row + CYCLE_TREND, gain));
  const lanes in_phase = row[CYCLE_TREND + 3], quadrature = row[CYCLE_TURNED];
  const lanes j_in = cycle_turn(row + CYCLE_TREND + 3, gain);
  const lanes j_quadrature = cycle_turn(row + CYCLE_TURNED, gain);
  const lanes q2 = fresh * (quadrature + j_in) + v_set(0.8) * row[CYCLE_Q2];
  const lanes i2 = fresh * (in_phase - j_quadrature) + v_set(0.8) * row[CYCLE_I2];
  cycle_measure(s, i2, q2);
}

/* Takes a price; the lanes that measure with it are returned: of those that have one, all that saw
 * `begin` bars before. */
HY_INLINE mask cycle_push(cycle *s, lanes x, double begin) {
  const lanes seen = s->row[CYCLE_SEEN];
  const mask ok = v_ok(x), active = m_and(ok, v_le(v_set(begin), seen));
  const bool some_wait = m_any(m_andnot(v_eq(seen, seen), active));
  cycle before;
  if (some_wait) before = *s;
  cycle_bar(s, x);
  for (int i = CYCLE_PRICE + CYCLE_SMOOTH; i < CYCLE_ROWS && some_wait; i++)
    s->row[i] = v_sel(active, s->row[i], before.row[i]);
  for (int i = 2; i >= 0; i--)
    s->row[CYCLE_PRICE + i] =
        v_sel(ok, i > 0 ? s->row[CYCLE_PRICE + i - 1] : x, s->row[CYCLE_PRICE + i]);
  s->row[CYCLE_SEEN] = v_sel(ok, v_min(seen + v_set(1.0), v_set(100.0)), seen);
  return active;
}

#endif
