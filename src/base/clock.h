/* SPDX-License-Identifier: Apache-2.0
 * Clocks as values, so that tests can drive time. */
#ifndef HY_BASE_CLOCK_H
#define HY_BASE_CLOCK_H

#include <stdint.h>

typedef struct hy__clock {
  int64_t (*now_ns)(void *ctx);
  void *ctx;
} hy__clock;

int64_t hy__clock_monotonic_ns(void);
int64_t hy__clock_utc_ns(void);          /* since 1970-01-01T00:00:00Z */
extern const hy__clock hy__clock_system; /* monotonic */

#endif
