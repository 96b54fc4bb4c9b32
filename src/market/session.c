/* SPDX-License-Identifier: Apache-2.0
 * A calendar's sessions as instants: its local dates and clocks through its zone. Grids, clocks and
 * the import stand on it. */
#include "market/calendar.h"
#include "market/time.h"

/* No market of the tables stays closed this long. */
enum { DAYS_SEARCHED = 45 };

struct hy__sessions {
  const hy_allocator *allocator;
  const hy__calendar *calendar;
  hy__zone *zone;
};

hy_status hy__sessions_open(const hy_allocator *a, const char *calendar, hy__sessions **out,
                            hy_error *err) {
  void *memory;
  const hy__calendar *c;
  HY_TRY(hy__calendar_require(calendar, &c, err));
  HY_TRY(hy__alloc_zero(a, sizeof(hy__sessions), &memory, err));
  hy__sessions *s = memory;
  s->allocator = a;
  s->calendar = c;
  hy_status status = hy__zone_open(a, c->zone, &s->zone, err);
  if (status == HY_OK)
    *out = s;
  else
    hy__sessions_close(s);
  return status;
}

void hy__sessions_close(hy__sessions *s) {
  if (!s) return;
  hy__zone_close(s->zone);
  hy__free(s->allocator, s, sizeof *s);
}

/* Of a clock that shows the time twice, the first. */
static int64_t instant(const hy__sessions *s, int64_t days, int32_t wall_s) {
  int64_t utc_s, later_s;
  (void)hy__zone_to_utc(s->zone, days * HY_S_PER_DAY + wall_s, &utc_s, &later_s);
  return utc_s;
}

bool hy__sessions_on(const hy__sessions *s, int64_t days, hy__session *out) {
  hy__hours hours = {0};
  if (!hy__calendar_hours(s->calendar, days, &hours)) return false;
  *out = (hy__session){.days = days,
                       .open_s = instant(s, days, hours.open_s),
                       .close_s = instant(s, days, hours.close_s)};
  if (hours.break_begin_s == hours.break_end_s) return true;
  out->break_begin_s = instant(s, days, hours.break_begin_s);
  out->break_end_s = instant(s, days, hours.break_end_s);
  return true;
}

bool hy__sessions_at(const hy__sessions *s, int64_t utc_s, hy__session *out) {
  int64_t days = hy__floor_div(utc_s + hy__zone_offset_s(s->zone, utc_s), HY_S_PER_DAY) - 1;
  for (int k = 0; k < DAYS_SEARCHED; k++, days++)
    if (hy__sessions_on(s, days, out) && out->close_s >= utc_s) return true;
  return false;
}
