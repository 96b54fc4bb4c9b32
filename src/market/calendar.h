/* SPDX-License-Identifier: Apache-2.0
 * Trading calendars: when a market is open, by local date. Small tables with their origin. */
#ifndef HY_MARKET_CALENDAR_H
#define HY_MARKET_CALENDAR_H

#include "market/market.h"

typedef struct hy__calendar {
  const char *name; /* "XNYS" */
  const char *zone; /* of its dates and clocks */
  const char *about;
  /* Open and close of local date `days` in wall seconds from its midnight; false: no session. */
  bool (*session)(int64_t days, int32_t *open_s, int32_t *close_s);
} hy__calendar;

/* By name; NULL if unknown. */
const hy__calendar *hy__calendar_find(const char *name);
size_t hy__calendar_count(void);
const hy__calendar *hy__calendar_at(size_t index);
/* New York's clock by its present rule: for data that must not depend on the machine's zone files.
 */
#define HY_NEW_YORK_RULE "EST5EDT,M3.2.0,M11.1.0"

#endif
