/* SPDX-License-Identifier: Apache-2.0
 * Where a bar's close stands in the day, the week and the year, as points of a circle. Input:
 * @local.
 */
#include "feature/lane/lane.h"

static const double TURN = 6.28318530717958647693;

enum { ROWS = 64 };

typedef double (*angle_fn)(double seconds);
typedef double (*circle_fn)(double angle);

HY_INLINE double floor_small(double a) {
  const double near = (a + 6755399441055744.0) - 6755399441055744.0;
  return a < near ? near - 1.0 : near;
}

/* The share of the day gone, 0 at midnight. */
HY_INLINE double day_angle(double seconds) {
  return (seconds - floor_small(seconds / 86400.0) * 86400.0) * (TURN / 86400.0);
}
/* Monday 0 to Sunday 6; 1970-01-01 was a Thursday, and midnight belongs to the day that it ends. */
HY_INLINE double week_angle(double seconds) {
  const double day = floor_small((seconds - 1.0) / 86400.0) + 3.0;
  return (day - floor_small(day / 7.0) * 7.0) * (TURN / 7.0);
}

/* The clock of a row is the same for all lanes that have the bar: the largest that is no NaN. */
HY_INLINE double clock_of(const double *row) {
  double clock = -1e300;
  for (int i = 0; i < HY_LANES; i++) clock = row[i] > clock ? row[i] : clock;
  return clock;
}

/* One value per row, then put into the lanes that have it; a lane with a clock of its own gets its
 * own. */
HY_INLINE void circle_rows(const double *in, double *out, size_t n, angle_fn angle,
                           circle_fn form) {
  double clock[ROWS], value[ROWS];
  for (size_t t = 0; t < n; t++) clock[t] = clock_of(in + t * HY_LANES);
  for (size_t t = 0; t < n; t++) value[t] = form(angle(clock[t]));
  for (size_t t = 0; t < n; t++, in += HY_LANES, out += HY_LANES) {
    for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
      const lanes seconds = v_load(in + g);
      v_store(out + g, v_keep(v_eq(seconds, v_set(clock[t])), v_fin(v_set(value[t]))));
    }
    for (int i = 0; i < HY_LANES; i++)
      if (in[i] < clock[t]) out[i] = form(angle(in[i])) + 0.0;
  }
}
HY_INLINE void circle(const hy__ind_step *s, angle_fn angle, circle_fn form) {
  EACH_BLOCK(s, at) {
    for (size_t begin = 0; begin < s->n; begin += ROWS) {
      const size_t first = at + begin * HY_LANES;
      circle_rows(s->in[0] + first, s->out[0] + first, HY_MIN(ROWS, s->n - begin), angle, form);
    }
  }
}

/* A date's month and day, from 1, as month * 100 + day; 0 for what is no clock. Days from March on:
 * Hinnant, "chrono-Compatible Low-Level Date Algorithms" (public domain). */
HY_INLINE double month_and_day(double seconds) {
  if (!(seconds > -1e11 && seconds < 1e12)) return 0.0;
  const int64_t z = (int64_t)floor_small((seconds - 1.0) / 86400.0) + 719468;
  const int64_t day_of_era = z - (z >= 0 ? z : z - 146096) / 146097 * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month + 2) / 5 + 1;
  return (double)((month < 10 ? month + 3 : month - 9) * 100 + day);
}
HY_INLINE double day_of_month(double seconds) {
  const double both = month_and_day(seconds);
  return both - floor_small(both / 100.0) * 100.0;
}
HY_INLINE double month_angle(double seconds) {
  return (floor_small(month_and_day(seconds) / 100.0) - 1.0) * (TURN / 12.0);
}

HY_INLINE double same(double a) { return a; }
HY_INLINE double sine(double a) { return hy__sin(a); }
HY_INLINE double cosine(double a) { return hy__cos(a); }

static void tod_sin_step(const hy__ind_step *s) { circle(s, day_angle, sine); }
HY_IND_CODE(tod_sin) = {.step = tod_sin_step};

static void tod_cos_step(const hy__ind_step *s) { circle(s, day_angle, cosine); }
HY_IND_CODE(tod_cos) = {.step = tod_cos_step};

static void dow_sin_step(const hy__ind_step *s) { circle(s, week_angle, sine); }
HY_IND_CODE(dow_sin) = {.step = dow_sin_step};

static void dow_cos_step(const hy__ind_step *s) { circle(s, week_angle, cosine); }
HY_IND_CODE(dow_cos) = {.step = dow_cos_step};

static void dom_step(const hy__ind_step *s) { circle(s, day_of_month, same); }
HY_IND_CODE(dom) = {.step = dom_step};

static void month_sin_step(const hy__ind_step *s) { circle(s, month_angle, sine); }
HY_IND_CODE(month_sin) = {.step = month_sin_step};

static void month_cos_step(const hy__ind_step *s) { circle(s, month_angle, cosine); }
HY_IND_CODE(month_cos) = {.step = month_cos_step};
