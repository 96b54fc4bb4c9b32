/* SPDX-License-Identifier: Apache-2.0
 * Clocks: inputs of definitions that are functions of a bar's close alone, with the zone and the
 * calendar of the universe. One function for batch and stream. */
#ifndef HY_FEATURE_CLOCK_H
#define HY_FEATURE_CLOCK_H

#include "feature/program.h"

typedef enum hy__bar_clock {
  HY__CLOCK_TIME,    /* @time: seconds since 1970-01-01T00:00:00Z */
  HY__CLOCK_LOCAL,   /* @local: the same on the zone's wall clock */
  HY__CLOCK_BAR,     /* @bar: 1 */
  HY__CLOCK_OPEN,    /* @open, @close: of the session that the bar belongs to, as @time */
  HY__CLOCK_CLOSE,   /* (the first whose close is not before the bar's) */
  HY__CLOCK_SESSION, /* @session: its local date in days since 1970-01-01 */
  HY__CLOCK_NEXT,    /* @next: that of the session after it */
  HY__CLOCKS
} hy__bar_clock;

/* HY__CLOCKS for what is no clock's name. */
hy__bar_clock hy__bar_clock_of(const char *name);

typedef struct hy__clocks hy__clocks;
/* What the program's clocks ask for. MISMATCH names the clock that needs a calendar where there is
 * none. */
HY_CHECKED hy_status hy__clocks_open(const hy_features *f, const char *zone, const char *calendar,
                                     hy__clocks **out, hy_error *err);
void hy__clocks_close(hy__clocks *clocks); /* NULL is fine */
/* n closes; NaN where the calendar has no session near. One caller at a time: the session looked at
 * last is remembered, to no effect on the values. */
void hy__bar_clock_rows(hy__clocks *clocks, hy__bar_clock which, const int64_t *close_ns, size_t n,
                        double *out);

#endif
