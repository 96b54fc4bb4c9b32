/* SPDX-License-Identifier: Apache-2.0
 * What all symbols of the synthetic universe share: the axis of New York sessions, volatility
 * regimes, the market's and the sectors' returns. One process per day for regimes, one stream per
 * factor. */
#include <math.h>

#include "market/calendar.h"
#include "market/generate.h"
#include "market/time.h"

/* Volatility per session, as shares of the price: about 14 % and 9 % a year. */
static const double market_sigma = 0.0088, sector_sigma = 0.0057;
static const double overnight_share =
    0.55; /* of a session's volatility lies in the gap before it */

enum { STREAM_REGIME = 1, STREAM_MARKET = 2, STREAM_SECTOR = 16 };

typedef struct axis {
  hy__tape *tape;
  hy__zone *zone;
  int64_t timeframe_s;
  size_t n;
} axis;

static void add_bar(axis *a, int64_t days, int32_t wall_s, double phase, double share, bool first) {
  int64_t utc, later;
  (void)hy__zone_to_utc(a->zone, days * HY_S_PER_DAY + wall_s, &utc, &later);
  hy__tape *t = a->tape;
  t->time_ns[a->n] = utc * HY_NS_PER_S;
  t->phase[a->n] = phase;
  t->share[a->n] = share;
  t->first[a->n] = first;
  a->n++;
}

static void add_session(axis *a, int64_t days, int32_t open_s, int32_t close_s) {
  const double length = (double)(close_s - open_s);
  for (int64_t from = open_s; from < close_s && a->n < a->tape->n_bars; from += a->timeframe_s) {
    const int64_t to = HY_MIN(from + a->timeframe_s, (int64_t)close_s);
    add_bar(a, days, (int32_t)to, ((double)(from + to) / 2 - open_s) / length,
            (double)(to - from) / length, from == open_s);
  }
}

/* Bars of whole sessions: every n-th session's close, or the last one of each week. */
static bool ends_bar(int64_t days, int64_t timeframe_s, size_t n_sessions) {
  if (timeframe_s % (7 * HY_S_PER_DAY)) return n_sessions >= (size_t)(timeframe_s / HY_S_PER_DAY);
  hy__hours hours;
  const hy__calendar *c = hy__calendar_find("XNYS");
  for (int64_t next = days + 1; hy__days_weekday(next) != 6; next++)
    if (hy__calendar_hours(c, next, &hours)) return false;
  return n_sessions >= (size_t)(timeframe_s / HY_S_PER_DAY / 7 - 1) * 4 + 1;
}

static void fill_axis(axis *a) {
  const hy__calendar *c = hy__calendar_find("XNYS");
  /* since 2007 the rule of New York's clock has been the one in use here */
  const hy__date start = a->tape->intraday ? (hy__date){2024, 1, 2} : (hy__date){2010, 1, 4};
  size_t n_sessions = 0;
  for (int64_t days = hy__date_days(start); a->n < a->tape->n_bars; days++) {
    hy__hours hours = {0};
    if (!hy__calendar_hours(c, days, &hours)) continue;
    if (a->tape->intraday) {
      add_session(a, days, hours.open_s, hours.close_s);
      continue;
    }
    n_sessions++;
    if (!ends_bar(days, a->timeframe_s, n_sessions)) continue;
    add_bar(a, days, hours.close_s, 0.5, (double)n_sessions, true);
    n_sessions = 0;
  }
}

/* More at the open and the close of a session than at noon; its mean over a session is 1. */
static double u_shape(double phase) {
  const double side = 2 * phase - 1;
  return (0.5 + 1.5 * side * side);
}

static double bar_scale(const hy__tape *t, size_t k) {
  return t->regime[k] * sqrt(t->share[k] * (t->intraday ? u_shape(t->phase[k]) : 1.0));
}

/* Calm and turbulent days, with long stays in either. */
static void fill_regime(hy__tape *t, uint64_t seed) {
  hy__random r;
  hy__random_init(&r, seed, STREAM_REGIME);
  bool turbulent = false;
  double day = 1, slow = 0;
  for (size_t k = 0; k < t->n_bars; k++) {
    if (t->first[k]) {
      const double u = hy__random_uniform(&r);
      turbulent = turbulent ? u >= 0.08 : u < 0.03;
      slow = 0.95 * slow + 0.06 * hy__random_normal(&r);
      day = hy__exp(slow) * (turbulent ? 2.2 : 0.85);
    }
    t->regime[k] = day;
  }
}

static void fill_factor(const hy__tape *t, hy__random *r, double sigma, double *out) {
  for (size_t k = 0; k < t->n_bars; k++) out[k] = sigma * bar_scale(t, k) * hy__random_normal(r);
}

hy_status hy__tape_fill(hy__tape *t, int64_t timeframe_ns, uint64_t seed, hy_error *err) {
  HY_FAIL_IF(timeframe_ns < HY_NS_PER_S || timeframe_ns > 52 * 7 * HY_S_PER_DAY * HY_NS_PER_S,
             HY_INVALID_ARGUMENT, err, "a timeframe from 1s to 52w was expected");
  axis a = {.tape = t, .timeframe_s = timeframe_ns / HY_NS_PER_S};
  t->intraday = a.timeframe_s < HY_S_PER_DAY;
  HY_FAIL_IF(!t->intraday && a.timeframe_s % HY_S_PER_DAY, HY_INVALID_ARGUMENT, err,
             "from one day upwards a timeframe is a number of days or weeks");
  HY_FAIL_IF((double)t->n_bars * (double)a.timeframe_s >
                 200.0 * 365 * 23400.0 * (t->intraday ? 1 : 3),
             HY_LIMIT, err, "%zu bars of this timeframe reach past the year 2200", t->n_bars);
  HY_TRY(hy__zone_from_rule(&hy__allocator_libc, HY_NEW_YORK_RULE, &a.zone, err));
  fill_axis(&a);
  hy__zone_close(a.zone);
  fill_regime(t, seed);
  hy__random r;
  hy__random_init(&r, seed, STREAM_MARKET);
  fill_factor(t, &r, market_sigma, t->market);
  for (size_t k = 0; k < t->n_bars; k++)
    t->overnight[k] =
        t->first[k] ? overnight_share * market_sigma * t->regime[k] * hy__random_normal(&r) : 0;
  for (size_t s = 0; s < HY_SECTORS; s++) {
    hy__random_init(&r, seed, STREAM_SECTOR + s);
    fill_factor(t, &r, sector_sigma, t->sector[s]);
  }
  return HY_OK;
}
