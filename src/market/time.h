/* SPDX-License-Identifier: Apache-2.0
 * Calendar dates, wall clocks and zones of the market room, beyond what its façade shows. */
#ifndef HY_MARKET_TIME_H
#define HY_MARKET_TIME_H

#include "market/market.h"

#define HY_NS_PER_S  INT64_C(1000000000)
#define HY_S_PER_DAY INT64_C(86400)

typedef struct hy__date {
  int32_t year, month, day; /* proleptic Gregorian, month and day from 1 */
} hy__date;

int64_t hy__date_days(hy__date date); /* since 1970-01-01 */
hy__date hy__date_from_days(int64_t days);
bool hy__date_exists(hy__date date); /* years 1 to 9999 */
static inline int32_t hy__days_weekday(int64_t days) {
  return (int32_t)((days % 7 + 11) % 7);
} /* 0 Sunday */

/* Towards minus infinity; b > 0. */
static inline int64_t hy__floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* "1m", "4h", "1d", "1w", "1mo"; text: 24 bytes; "" for 0. */
void hy__timeframe_format(int64_t ns, char text[24]);

/* A zone from bytes of a TZif file (RFC 8536), or from its POSIX rule ("EST5EDT,M3.2.0,M11.1.0").
 */
HY_CHECKED hy_status hy__zone_read(const hy_allocator *a, const void *data, size_t bytes,
                                   hy__zone **out, hy_error *err);
HY_CHECKED hy_status hy__zone_from_rule(const hy_allocator *a, const char *rule, hy__zone **out,
                                        hy_error *err);

/* Whether hy__zone_open could open it, without its memory. A machine without zone files does not
 * know, and refuses no name here. */
HY_CHECKED hy_status hy__zone_check(const char *name, hy_error *err);

typedef enum hy__wall {
  HY_WALL_UNIQUE,
  HY_WALL_AMBIGUOUS,  /* clocks were set back: it happens twice */
  HY_WALL_NONEXISTENT /* clocks were set forward over it */
} hy__wall;
/* Wall clock to UTC. Ambiguous: *utc_s is the first, *later_s the second time; nonexistent: the
 * instant that the old offset gives (the wall clock moved on by the gap). */
hy__wall hy__zone_to_utc(const hy__zone *zone, int64_t wall_s, int64_t *utc_s, int64_t *later_s);

#endif
