/* SPDX-License-Identifier: Apache-2.0
 * Where a bar's close stands in the day and the week, as points of a circle. Input: @local. */
#include "feature/lane.h"

#define TURN 6.28318530717958647693

/* The share of the day gone, 0 at midnight. */
HY_INLINE lanes day_angle(const double *const *in) {
  const lanes seconds = v_load(in[0]), day = v_set(86400.0);
  return (seconds - v_floor(seconds / day) * day) * v_set(TURN / 86400.0);
}
/* Monday 0 to Sunday 6; 1970-01-01 was a Thursday, and midnight belongs to the day that it ends. */
HY_INLINE lanes week_angle(const double *const *in) {
  const lanes day = v_day(v_load(in[0])) + v_set(3.0);
  return (day - v_floor(day / v_set(7.0)) * v_set(7.0)) * v_set(TURN / 7.0);
}

static void tod_sin_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_sin(day_angle(in));
}
static void tod_sin_step(const hy__ind_step *s) { rows_map(s, 1, 1, tod_sin_row); }
HY_IND_CODE(tod_sin) = {.step = tod_sin_step};

static void tod_cos_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_cos(day_angle(in));
}
static void tod_cos_step(const hy__ind_step *s) { rows_map(s, 1, 1, tod_cos_row); }
HY_IND_CODE(tod_cos) = {.step = tod_cos_step};

static void dow_sin_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_sin(week_angle(in));
}
static void dow_sin_step(const hy__ind_step *s) { rows_map(s, 1, 1, dow_sin_row); }
HY_IND_CODE(dow_sin) = {.step = dow_sin_step};

static void dow_cos_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_cos(week_angle(in));
}
static void dow_cos_step(const hy__ind_step *s) { rows_map(s, 1, 1, dow_cos_row); }
HY_IND_CODE(dow_cos) = {.step = dow_cos_step};
