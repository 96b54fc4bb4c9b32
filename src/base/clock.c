/* SPDX-License-Identifier: Apache-2.0
 * The system's clocks; everything that measures or stamps takes an hy__clock, so that tests drive
 * time. */
#include <time.h>

#include "base/clock.h"

static int64_t read_ns(clockid_t id) {
  struct timespec now = {0};
  clock_gettime(id, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t hy__clock_monotonic_ns(void) { return read_ns(CLOCK_MONOTONIC); }
int64_t hy__clock_utc_ns(void) { return read_ns(CLOCK_REALTIME); }

static int64_t system_now_ns(void *ctx) {
  (void)ctx;
  return hy__clock_monotonic_ns();
}

const hy__clock hy__clock_system = {system_now_ns, NULL};
