/* SPDX-License-Identifier: Apache-2.0
 * Rows by time, on hourly bars through the days of New York that have 23 and 25 hours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "market/market.h"

enum { HOURS = 24 * 8 };
static const int64_t hour_ns = INT64_C(3600000000000);
/* 2024-03-08T00:00:00Z and 2024-11-01T00:00:00Z; the clocks change on the 10th and on the 3rd. */
static const int64_t spring_ns = INT64_C(1709856000) * 1000000000;
static const int64_t autumn_ns = INT64_C(1730419200) * 1000000000;

static hy_universe *hourly(hy_runtime *runtime, int64_t start_ns, int64_t *times, double *close) {
  static const char *const symbols[] = {"A"}, *const fields[] = {"close"};
  for (int k = 0; k < HOURS; k++) times[k] = start_ns + (k + 1) * hour_ns, close[k] = 1;
  const double *const data[] = {close};
  hy_panel panel = {.struct_size = sizeof panel,
                    .n_bars = HOURS,
                    .n_symbols = 1,
                    .n_fields = 1,
                    .time_ns = times,
                    .symbols = symbols,
                    .fields = fields,
                    .data = data,
                    .zone = "America/New_York"};
  hy_universe *u = NULL;
  assert_int_equal(hy_universe_from_panel(runtime, &panel, &u, NULL), HY_OK);
  return u;
}

static size_t bars_of_day(int64_t start_ns, const char *day) {
  hy_runtime *runtime = NULL;
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  int64_t times[HOURS];
  double close[HOURS];
  hy_universe *u = hourly(runtime, start_ns, times, close);
  size_t begin = 0, end = 0;
  assert_int_equal(hy_universe_find_rows(u, NULL, day, day, &begin, &end, NULL), HY_OK);
  hy_universe_destroy(u);
  hy_runtime_destroy(runtime);
  return end - begin;
}

static void a_day_has_its_own_length(void **state) {
  (void)state;
  assert_int_equal(bars_of_day(spring_ns, "2024-03-09"), 24);
  assert_int_equal(bars_of_day(spring_ns, "2024-03-10"), 23);
  assert_int_equal(bars_of_day(spring_ns, "2024-03-11"), 24);
  assert_int_equal(bars_of_day(autumn_ns, "2024-11-03"), 25);
  assert_int_equal(bars_of_day(autumn_ns, "2024-11-04"), 24);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_day_has_its_own_length)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
