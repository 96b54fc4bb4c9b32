/* SPDX-License-Identifier: Apache-2.0
 * The calendars: regular hours by weekday and period, closed days, days with hours of their own.
 * Before a table's first day and after its last one the nearest regular hours hold. */
#include "market/calendar.h"

#include <stdio.h>

#include "market/time.h"

enum { MONDAY_TO_FRIDAY = 62, EVERY_DAY = 127 };

/* Minutes from local midnight: open, close, break. */
typedef struct hours_row {
  int32_t from;     /* year * 10000 + month * 100 + day */
  uint8_t weekdays; /* bit 0 Sunday; later rows replace earlier ones */
  int16_t minutes[4];
} hours_row;

typedef struct day_row {
  int32_t date;
  int16_t minutes[4];
} day_row;

// clang-format off
#include "market/calendar_bvmf.inc"
#include "market/calendar_cmes.inc"
#include "market/calendar_xams.inc"
#include "market/calendar_xasx.inc"
#include "market/calendar_xbom.inc"
#include "market/calendar_xetr.inc"
#include "market/calendar_xhkg.inc"
#include "market/calendar_xkrx.inc"
#include "market/calendar_xlon.inc"
#include "market/calendar_xnys.inc"
#include "market/calendar_xpar.inc"
#include "market/calendar_xshg.inc"
#include "market/calendar_xswx.inc"
#include "market/calendar_xtks.inc"
#include "market/calendar_xtse.inc"
// clang-format on

static const hours_row fx_hours[] = {{0, MONDAY_TO_FRIDAY, {-7 * 60, 17 * 60, 0, 0}}};
static const int32_t fx_closed[] = {0};
static const day_row fx_days[] = {{0, {0}}};
static const hours_row always_hours[] = {{0, EVERY_DAY, {0, 24 * 60, 0, 0}}};
static const int32_t always_closed[] = {0};
static const day_row always_days[] = {{0, {0}}};

struct hy__calendar_table {
  const hours_row *hours;
  size_t n_hours;
  const int32_t *closed;
  size_t n_closed;
  const day_row *days;
  size_t n_days;
};

#define HY_CALENDAR(name, table, zone, about)                                                      \
  {name, zone, about,                                                                              \
   &(const struct hy__calendar_table){table##_hours, HY_COUNT(table##_hours), table##_closed,      \
                                      HY_COUNT(table##_closed), table##_days,                      \
                                      HY_COUNT(table##_days)}},
static const hy__calendar calendars[] = {
#include "market/calendar.inc"
};
#undef HY_CALENDAR

static bool is_closed(const struct hy__calendar_table *t, int32_t date) {
  size_t low = 0, high = t->n_closed;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (t->closed[middle] < date)
      low = middle + 1;
    else
      high = middle;
  }
  return low < t->n_closed && t->closed[low] == date;
}

static const int16_t *own_hours(const struct hy__calendar_table *t, int32_t date) {
  size_t low = 0, high = t->n_days;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (t->days[middle].date < date)
      low = middle + 1;
    else
      high = middle;
  }
  return low < t->n_days && t->days[low].date == date ? t->days[low].minutes : NULL;
}

static const int16_t *regular_hours(const struct hy__calendar_table *t, int32_t date,
                                    int32_t weekday) {
  const int16_t *found = NULL;
  for (size_t k = 0; k < t->n_hours && (!found || t->hours[k].from <= date); k++)
    if (t->hours[k].weekdays >> weekday & 1) found = t->hours[k].minutes;
  return found && found[0] != found[1] ? found : NULL; /* equal: closed from then on */
}

bool hy__calendar_hours(const hy__calendar *c, int64_t days, hy__hours *out) {
  const struct hy__calendar_table *t = c->table;
  const hy__date d = hy__date_from_days(days);
  const int32_t date = d.year * 10000 + d.month * 100 + d.day;
  const int16_t *minutes = own_hours(t, date);
  if (!minutes && !is_closed(t, date)) minutes = regular_hours(t, date, hy__days_weekday(days));
  if (!minutes) return false;
  *out = (hy__hours){.open_s = minutes[0] * 60,
                     .close_s = minutes[1] * 60,
                     .break_begin_s = minutes[2] * 60,
                     .break_end_s = minutes[3] * 60};
  return true;
}

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

size_t hy__calendar_count(void) { return HY_COUNT(calendars); }
const hy__calendar *hy__calendar_at(size_t index) { return &calendars[index]; }
