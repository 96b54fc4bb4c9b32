/* SPDX-License-Identifier: Apache-2.0
 * The calendars: XNYS (New York stocks), FX (17:00 to 17:00 New York, Monday to Friday), 24x7. */
#include "market/calendar.h"

#include <stdio.h>

#include "market/time.h"

/* A day of the table as year * 10000 + month * 100 + day, and when it closes (0: not open). */
typedef struct odd_day {
  int32_t date, close_s;
} odd_day;

static const odd_day xnys_days[] = {
#define HY_CALENDAR_YEARS(first, last)
#define HY_CLOSED(y, m, d)           {(y)*10000 + (m)*100 + (d), 0},
#define HY_EARLY(y, m, d, h, minute) {(y)*10000 + (m)*100 + (d), (h)*3600 + (minute)*60},
#include "market/calendar_xnys.inc"
#undef HY_CALENDAR_YEARS
#undef HY_CLOSED
#undef HY_EARLY
};

static bool is_weekday(int64_t days) {
  const int32_t weekday = hy__days_weekday(days);
  return weekday != 0 && weekday != 6;
}

static bool xnys(int64_t days, int32_t *open_s, int32_t *close_s) {
  if (!is_weekday(days)) return false;
  const hy__date d = hy__date_from_days(days);
  const int32_t date = d.year * 10000 + d.month * 100 + d.day;
  *open_s = 9 * 3600 + 1800;
  *close_s = 16 * 3600;
  size_t low = 0, high = HY_COUNT(xnys_days);
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (xnys_days[middle].date < date)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == HY_COUNT(xnys_days) || xnys_days[low].date != date) return true;
  *close_s = xnys_days[low].close_s;
  return *close_s != 0;
}

static bool fx(int64_t days, int32_t *open_s, int32_t *close_s) {
  *open_s = -7 * 3600;
  *close_s = 17 * 3600;
  return is_weekday(days);
}

static bool always(int64_t days, int32_t *open_s, int32_t *close_s) {
  (void)days;
  *open_s = 0;
  *close_s = 24 * 3600;
  return true;
}

static const hy__calendar calendars[] = {
    {"XNYS", "America/New_York",
     "New York stocks, 09:30 to 16:00, holidays and half days 1990 to 2035", xnys},
    {"FX", "America/New_York", "currencies, 17:00 to 17:00 New York, Monday to Friday", fx},
    {"24x7", "UTC", "always open", always},
};

const hy__calendar *hy__calendar_find(const char *name) {
  for (size_t k = 0; k < HY_COUNT(calendars); k++)
    if (strcmp(calendars[k].name, name) == 0) return &calendars[k];
  return NULL;
}

hy_status hy__calendar_require(const char *name, const hy__calendar **out, hy_error *err) {
  char known[300] = "";
  *out = hy__calendar_find(name);
  if (*out) return HY_OK;
  for (size_t k = 0, used = 0; k < HY_COUNT(calendars) && used < sizeof known; k++)
    used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", k ? ", " : "",
                             calendars[k].name);
  HY_FAIL(HY_NOT_FOUND, err, "\"%.40s\" is no calendar: expected one of %s", name, known);
}

bool hy__calendar_hours(const hy__calendar *c, int64_t days, hy__hours *out) {
  *out = (hy__hours){0};
  return c->session(days, &out->open_s, &out->close_s);
}

size_t hy__calendar_count(void) { return HY_COUNT(calendars); }
const hy__calendar *hy__calendar_at(size_t index) { return &calendars[index]; }
