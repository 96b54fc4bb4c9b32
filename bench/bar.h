/* SPDX-License-Identifier: Apache-2.0
 * A bar that a benchmark is held to, as a line beside what was measured in the same run. */
#ifndef BENCH_BAR_H
#define BENCH_BAR_H

#include <stdbool.h>
#include <stdio.h>

static inline void bar_line(const char *what, double value, bool met, const char *bar) {
  (void)printf("bar: %-64s %9.2f   %-12s %s\n", what, value, bar, met ? "met" : "not met");
}

static inline void bar_at_least(const char *what, double value, double least) {
  char bar[32];
  (void)snprintf(bar, sizeof bar, ">= %g", least);
  bar_line(what, value, value >= least, bar);
}

static inline void bar_at_most(const char *what, double value, double most) {
  char bar[32];
  (void)snprintf(bar, sizeof bar, "<= %g", most);
  bar_line(what, value, value <= most, bar);
}

#endif
