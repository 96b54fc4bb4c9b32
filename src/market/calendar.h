/* SPDX-License-Identifier: Apache-2.0
 * Trading calendars: when a market is open, by local date. Small tables with their origin. */
#ifndef HY_MARKET_CALENDAR_H
#define HY_MARKET_CALENDAR_H

#include "market/market.h"

/* Of one session, in wall seconds from its date's midnight; begin and end of the break are equal
 * where there is none. */
typedef struct hy__hours {
  int32_t open_s, close_s, break_begin_s, break_end_s;
} hy__hours;

typedef struct hy__calendar {
  const char *name; /* "XNYS" */
  const char *zone; /* of its dates and clocks */
  const char *about;
  const struct hy__calendar_table *table;
} hy__calendar;

/* False: the market is closed on that local date. */
bool hy__calendar_hours(const hy__calendar *c, int64_t days, hy__hours *out);
/* By name; the other one answers NULL where the name is unknown. */
HY_CHECKED hy_status hy__calendar_require(const char *name, const hy__calendar **out,
                                          hy_error *err);
const hy__calendar *hy__calendar_find(const char *name);
size_t hy__calendar_count(void);
const hy__calendar *hy__calendar_at(size_t index);
/* New York's clock by its present rule: for data that must not depend on the machine's zone files.
 */
#define HY_NEW_YORK_RULE "EST5EDT,M3.2.0,M11.1.0"

#endif
