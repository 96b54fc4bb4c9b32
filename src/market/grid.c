/* SPDX-License-Identifier: Apache-2.0
 * Grids of slower timeframes: from a close time alone, the end of the slower bar that holds it. One
 * function for batch and stream, which both build their bars by it. */
#include "market/time.h"

/* Limits that keep every sum of seconds far from overflow: the years 1678 to 2261 in nanoseconds.
 */
#define S_MAX INT64_C(9000000000)

struct hy__grid {
  const hy_allocator *allocator;
  int64_t timeframe_s, months; /* 0: days or less */
  hy__anchor anchor;
  hy__zone *zone;         /* CLOCK, UTC */
  hy__sessions *sessions; /* SESSION */
};

/* ---- the wall clock ---- */

static int64_t round_up(int64_t value, int64_t step) {
  return hy__floor_div(value + step - 1, step) * step;
}

/* The next reading of the clock, at or after wall_s, where a bar ends: multiples from midnight on,
 * and midnight. */
static int64_t next_mark(int64_t wall_s, int64_t timeframe_s) {
  const int64_t midnight = hy__floor_div(wall_s, HY_S_PER_DAY) * HY_S_PER_DAY;
  const int64_t in_day = round_up(wall_s - midnight, timeframe_s);
  return midnight + HY_MIN(in_day, HY_S_PER_DAY);
}

/* The first second after `from` at which the offset is no longer the one of `from`; `to` has
 * another. */
static int64_t find_change(const hy__zone *zone, int64_t from, int64_t to) {
  const int32_t offset_s = hy__zone_offset_s(zone, from);
  while (to - from > 1) {
    const int64_t middle = from + (to - from) / 2;
    if (hy__zone_offset_s(zone, middle) == offset_s)
      from = middle;
    else
      to = middle;
  }
  return to;
}

/* A bar ends where the clock shows a mark, and where it is set forward over one. */
static int64_t intraday_end(const hy__grid *g, int64_t utc_s) {
  const int64_t old = utc_s + hy__zone_offset_s(g->zone, utc_s - 1);
  const int64_t now = utc_s + hy__zone_offset_s(g->zone, utc_s);
  if (old < now && next_mark(old, g->timeframe_s) <= now) return utc_s;
  for (;;) {
    const int32_t offset_s = hy__zone_offset_s(g->zone, utc_s);
    const int64_t mark = next_mark(utc_s + offset_s, g->timeframe_s), end = mark - offset_s;
    if (hy__zone_offset_s(g->zone, end) == offset_s) return end;
    const int64_t change = find_change(g->zone, utc_s, end);
    if (mark <= change + hy__zone_offset_s(g->zone, change)) return change;
    utc_s = change;
  }
}

/* The last second of a local date, which its midnight ends: where the clock is set back over
 * midnight, the later one. */
static int64_t date_end(const hy__grid *g, int64_t days) {
  int64_t utc_s, later_s;
  (void)hy__zone_to_utc(g->zone, (days + 1) * HY_S_PER_DAY, &utc_s, &later_s);
  return later_s;
}

/* The last date of the bar that holds one: days are counted from 1970-01-01 on, weeks from Monday
 * on, months from January on. */
static int64_t last_date(const hy__grid *g, int64_t days) {
  if (g->months) {
    const hy__date date = hy__date_from_days(days);
    const int32_t n = (int32_t)g->months, next = (date.month - 1) / n * n + n;
    return hy__date_days((hy__date){date.year + next / 12, next % 12 + 1, 1}) - 1;
  }
  const int64_t n = g->timeframe_s / HY_S_PER_DAY, shift = n % 7 == 0 ? 3 : 0;
  return hy__floor_div(days + shift, n) * n - shift + n - 1;
}

static int64_t days_end(const hy__grid *g, int64_t utc_s) {
  int64_t days = hy__floor_div(utc_s - 1 + hy__zone_offset_s(g->zone, utc_s - 1), HY_S_PER_DAY);
  for (;; days++) {
    const int64_t end = date_end(g, last_date(g, days));
    if (end >= utc_s) return end;
  }
}

/* ---- sessions ---- */

static int64_t last_close(const hy__grid *g, const hy__session *s) {
  hy__session last;
  for (int64_t days = last_date(g, s->days); days > s->days; days--)
    if (hy__sessions_on(g->sessions, days, &last)) return last.close_s;
  return s->close_s;
}

static int64_t part_end(int64_t utc_s, int64_t begin_s, int64_t end_s, int64_t timeframe_s) {
  const int64_t in_part = HY_MAX(utc_s - begin_s, 1);
  return HY_MIN(begin_s + round_up(in_part, timeframe_s), end_s);
}

static int64_t session_end(const hy__grid *g, int64_t utc_s) {
  hy__session s;
  if (!hy__sessions_at(g->sessions, utc_s, &s)) return round_up(utc_s, g->timeframe_s);
  if (g->timeframe_s == HY_S_PER_DAY) return s.close_s;
  if (g->timeframe_s > HY_S_PER_DAY) return last_close(g, &s);
  if (s.break_begin_s == s.break_end_s) return part_end(utc_s, s.open_s, s.close_s, g->timeframe_s);
  if (utc_s <= s.break_begin_s) return part_end(utc_s, s.open_s, s.break_begin_s, g->timeframe_s);
  return part_end(utc_s, s.break_end_s, s.close_s, g->timeframe_s);
}

/* ---- the façade ---- */

int64_t hy__grid_end(const hy__grid *g, int64_t close_ns) {
  const int64_t utc_s = hy__floor_div(close_ns + HY_NS_PER_S - 1, HY_NS_PER_S);
  int64_t end_s, end_ns;
  if (utc_s > S_MAX || utc_s < -S_MAX) return close_ns;
  if (g->anchor == HY__ANCHOR_SESSION)
    end_s = session_end(g, utc_s);
  else if (g->timeframe_s < HY_S_PER_DAY)
    end_s = intraday_end(g, utc_s);
  else
    end_s = days_end(g, utc_s);
  return hy__mul_i64(end_s, HY_NS_PER_S, &end_ns) ? end_ns : close_ns;
}

/* Days of sessions one by one, by weeks and by months. */
static bool fits_sessions(int64_t timeframe_ns) {
  const int64_t s = timeframe_ns / HY_NS_PER_S;
  return s <= HY_S_PER_DAY || s == 7 * HY_S_PER_DAY || hy__timeframe_months(timeframe_ns);
}

hy_status hy__grid_check(int64_t timeframe_ns, hy__anchor anchor, hy_error *err) {
  char text[24];
  const int64_t s = timeframe_ns / HY_NS_PER_S;
  const bool whole = s > 0 && timeframe_ns % HY_NS_PER_S == 0;
  const bool daily = s % HY_S_PER_DAY == 0 && s <= 100 * HY_S_PER_DAY;
  hy__timeframe_format(timeframe_ns, text);
  HY_FAIL_IF(!whole || (s > HY_S_PER_DAY && !daily && !hy__timeframe_months(timeframe_ns)),
             HY_INVALID_ARGUMENT, err,
             "timeframe %s: expected whole seconds up to a day, whole days up to 100, or months",
             text);
  HY_FAIL_IF(anchor == HY__ANCHOR_SESSION && !fits_sessions(timeframe_ns), HY_UNSUPPORTED, err,
             "timeframe %s: days of sessions are counted one by one, by weeks or by months; give "
             "anchor: clock",
             text);
  return HY_OK;
}

static hy_status check_options(const hy__grid_options *o, hy__anchor *anchor, hy_error *err) {
  char text[24], base[24];
  const int64_t s = o->timeframe_ns / HY_NS_PER_S;
  const bool has_calendar = o->calendar && o->calendar[0];
  HY_TRY(hy__grid_check(o->timeframe_ns, o->anchor, err));
  hy__timeframe_format(o->timeframe_ns, text);
  hy__timeframe_format(o->base_ns, base);
  HY_FAIL_IF(o->base_ns && !hy__timeframe_divides(o->base_ns, o->timeframe_ns), HY_MISMATCH, err,
             "timeframe %s is no multiple of the bars' %s", text, base);
  *anchor = o->anchor;
  if (*anchor == HY__ANCHOR_DEFAULT)
    *anchor = has_calendar && s >= HY_S_PER_DAY && fits_sessions(o->timeframe_ns)
                  ? HY__ANCHOR_SESSION
                  : HY__ANCHOR_CLOCK;
  HY_FAIL_IF(*anchor == HY__ANCHOR_SESSION && !has_calendar, HY_MISMATCH, err,
             "timeframe %s is anchored at the session: the universe needs a calendar", text);
  return HY_OK;
}

hy_status hy__grid_create(const hy_allocator *a, const hy__grid_options *o, hy__grid **out,
                          hy_error *err) {
  void *memory;
  hy__anchor anchor;
  hy_status status;
  const char *zone = o->zone && o->zone[0] ? o->zone : "UTC";
  HY_TRY(check_options(o, &anchor, err));
  HY_TRY(hy__alloc_zero(a, sizeof(hy__grid), &memory, err));
  hy__grid *g = memory;
  *g = (hy__grid){.allocator = a,
                  .timeframe_s = o->timeframe_ns / HY_NS_PER_S,
                  .months = hy__timeframe_months(o->timeframe_ns),
                  .anchor = anchor};
  if (anchor == HY__ANCHOR_SESSION)
    status = hy__sessions_open(a, o->calendar, &g->sessions, err);
  else
    status = hy__zone_open(a, anchor == HY__ANCHOR_UTC ? "UTC" : zone, &g->zone, err);
  if (status == HY_OK)
    *out = g;
  else
    hy__grid_destroy(g);
  return status;
}

void hy__grid_destroy(hy__grid *g) {
  if (!g) return;
  hy__zone_close(g->zone);
  hy__sessions_close(g->sessions);
  hy__free(g->allocator, g, sizeof *g);
}
