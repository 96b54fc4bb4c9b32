/* SPDX-License-Identifier: Apache-2.0
 * Dates, instants, timeframes, zones and calendars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "market/calendar.h"
#include "market/time.h"

static void dates_go_there_and_back(void **state) {
  (void)state;
  for (int64_t days = -200000; days < 200000; days += 13) {
    const hy__date d = hy__date_from_days(days);
    assert_true(hy__date_exists(d));
    assert_int_equal(hy__date_days(d), days);
  }
  assert_int_equal(hy__date_days((hy__date){2000, 3, 1}), 11017);
  assert_int_equal(hy__days_weekday(0), 4); /* a Thursday */
  assert_false(hy__date_exists((hy__date){2023, 2, 29}));
  assert_true(hy__date_exists((hy__date){2024, 2, 29}));
}

static void check_time(const char *text, const char *zone, const char *expect) {
  int64_t ns;
  char back[40];
  hy_error err;
  if (hy__time_parse(text, zone, &ns, &err) != HY_OK) fail_msg("%s", err.message);
  hy__time_format(ns, back);
  assert_string_equal(back, expect);
}

static void instants_are_read_and_written(void **state) {
  (void)state;
  check_time("2024-01-31T21:00:00Z", NULL, "2024-01-31T21:00:00Z");
  check_time("2024-01-31T21:00:00.25+02:00", NULL, "2024-01-31T19:00:00.25Z");
  check_time("2024-01-31 21:00-0530", NULL, "2024-02-01T02:30:00Z");
  check_time("1969-12-31T23:59:59.999999999Z", NULL, "1969-12-31T23:59:59.999999999Z");
  check_time("2024-01-31", "UTC", "2024-02-01T00:00:00Z"); /* a date is the end of its day */
  check_time("2024-01-31", "UTC-5", "2024-02-01T05:00:00Z");
  static const char *const bad[] = {"",
                                    "2024",
                                    "2024-02-30",
                                    "24-01-01",
                                    "2024-01-31T",
                                    "2024-01-31T25:00Z",
                                    "2024-01-31T10:00:00",
                                    "2024-01-31T10:00Zx",
                                    "9999-01-01",
                                    "last"};
  int64_t ns;
  for (size_t k = 0; k < HY_COUNT(bad); k++)
    assert_int_equal(hy__time_parse(bad[k], NULL, &ns, NULL), HY_INVALID_ARGUMENT);
}

static void timeframes_have_two_spellings(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t s;
    const char *back;
  } rows[] = {{"1m", 60, "1m"},          {"M1", 60, "1m"},        {"15min", 900, "15m"},
              {"H4", 14400, "4h"},       {"1d", 86400, "1d"},     {"D1", 86400, "1d"},
              {"1w", 604800, "1w"},      {"30S", 30, "30s"},      {"90m", 5400, "90m"},
              {"24h", 86400, "1d"},      {"MN1", 2629746, "1mo"}, {"3mo", 7889238, "3mo"},
              {"MN12", 31556952, "12mo"}};
  char text[24];
  int64_t ns;
  for (size_t k = 0; k < HY_COUNT(rows); k++) {
    assert_int_equal(hy__timeframe_parse(rows[k].text, &ns, NULL), HY_OK);
    assert_int_equal(ns, rows[k].s * HY_NS_PER_S);
    hy__timeframe_format(ns, text);
    assert_string_equal(text, rows[k].back);
  }
  static const char *const bad[] = {"",        "m", "0m", "1M",  "m1",  "1x",  "-1m",  "1m2",
                                    "999999w", "M", "MN", "MN0", "MN5", "mn1", "24mo", "1mo "};
  for (size_t k = 0; k < HY_COUNT(bad); k++)
    assert_int_equal(hy__timeframe_parse(bad[k], &ns, NULL), HY_INVALID_ARGUMENT);
}

static int64_t utc(int32_t y, int32_t m, int32_t d, int32_t h, int32_t minute) {
  return hy__date_days((hy__date){y, m, d}) * HY_S_PER_DAY + h * 3600 + minute * 60;
}

/* The same answers from the rule alone and, where the machine has it, from the zone file. */
static void check_new_york(const hy__zone *z) {
  int64_t at, later;
  assert_int_equal(hy__zone_offset_s(z, utc(2024, 3, 10, 6, 59)), -18000);
  assert_int_equal(hy__zone_offset_s(z, utc(2024, 3, 10, 7, 0)), -14400);
  assert_int_equal(hy__zone_offset_s(z, utc(2024, 11, 3, 5, 59)), -14400);
  assert_int_equal(hy__zone_offset_s(z, utc(2024, 11, 3, 6, 0)), -18000);
  assert_int_equal(hy__zone_offset_s(z, utc(2060, 7, 1, 0, 0)), -14400);
  assert_int_equal(hy__zone_to_utc(z, utc(2024, 3, 10, 1, 59), &at, &later), HY_WALL_UNIQUE);
  assert_int_equal(at, utc(2024, 3, 10, 6, 59));
  assert_int_equal(hy__zone_to_utc(z, utc(2024, 3, 10, 2, 30), &at, &later), HY_WALL_NONEXISTENT);
  assert_int_equal(at, utc(2024, 3, 10, 7, 30));
  assert_int_equal(hy__zone_to_utc(z, utc(2024, 11, 3, 1, 30), &at, &later), HY_WALL_AMBIGUOUS);
  assert_int_equal(at, utc(2024, 11, 3, 5, 30));
  assert_int_equal(later, utc(2024, 11, 3, 6, 30));
  assert_int_equal(hy__zone_to_utc(z, utc(2024, 11, 3, 2, 0), &at, &later), HY_WALL_UNIQUE);
  assert_int_equal(at, utc(2024, 11, 3, 7, 0));
}

static void zones_know_daylight_saving(void **state) {
  (void)state;
  hy__zone *z;
  assert_int_equal(hy__zone_from_rule(&hy__allocator_libc, HY_NEW_YORK_RULE, &z, NULL), HY_OK);
  check_new_york(z);
  hy__zone_close(z);
  if (hy__zone_open(&hy__allocator_libc, "America/New_York", &z, NULL) == HY_OK) {
    check_new_york(z);
    assert_int_equal(hy__zone_offset_s(z, utc(2006, 3, 20, 12, 0)), -18000); /* the old rule */
    hy__zone_close(z);
  }
  assert_int_equal(hy__zone_open(&hy__allocator_libc, "UTC-05:30", &z, NULL), HY_OK);
  assert_int_equal(hy__zone_offset_s(z, 0), -19800);
  hy__zone_close(z);
  /* the southern half of the world: summer over the new year, and days counted by J */
  assert_int_equal(
      hy__zone_from_rule(&hy__allocator_libc, "AEST-10AEDT,M10.1.0,M4.1.0/3", &z, NULL), HY_OK);
  assert_int_equal(hy__zone_offset_s(z, utc(2024, 1, 15, 0, 0)), 39600);
  assert_int_equal(hy__zone_offset_s(z, utc(2024, 7, 15, 0, 0)), 36000);
  hy__zone_close(z);
  assert_int_equal(hy__zone_from_rule(&hy__allocator_libc, "<-03>3<-02>,J60/0,J300/0", &z, NULL),
                   HY_OK);
  assert_int_equal(hy__zone_offset_s(z, utc(2024, 3, 1, 3, 0)), -7200);
  assert_int_equal(hy__zone_offset_s(z, utc(2024, 3, 1, 2, 59)), -10800);
  hy__zone_close(z);
}

static void bad_zones_are_refused(void **state) {
  (void)state;
  hy__zone *z = NULL;
  static const char *const names[] = {"../etc/passwd", "/etc/passwd", "",   "America/",
                                      "Nowhere/City",  "UTC+99",      "a b"};
  for (size_t k = 0; k < HY_COUNT(names); k++)
    assert_int_not_equal(hy__zone_open(&hy__allocator_libc, names[k], &z, NULL), HY_OK);
  static const char *const rules[] = {"",
                                      "E5",
                                      "EST",
                                      "EST5EDT",
                                      "EST5EDT,M13.2.0,M11.1.0",
                                      "EST5EDT,M3.2.0",
                                      "EST5EDT,M3.2.0,M11.1.0x",
                                      "<A",
                                      "EST5EDT,J0,J9"};
  for (size_t k = 0; k < HY_COUNT(rules); k++)
    assert_int_not_equal(hy__zone_from_rule(&hy__allocator_libc, rules[k], &z, NULL), HY_OK);
  char bytes[96] = "TZif2";
  assert_int_equal(hy__zone_read(&hy__allocator_libc, bytes, 3, &z, NULL), HY_BAD_FORMAT);
  assert_int_not_equal(hy__zone_read(&hy__allocator_libc, bytes, sizeof bytes, &z, NULL), HY_OK);
  memset(bytes + 20, 0xff, 24); /* counts beyond all limits */
  assert_int_equal(hy__zone_read(&hy__allocator_libc, bytes, sizeof bytes, &z, NULL), HY_LIMIT);
  assert_null(z);
}

static void check_session(const char *calendar, hy__date d, int32_t open_s, int32_t close_s) {
  hy__hours hours = {0};
  const hy__calendar *c = hy__calendar_find(calendar);
  assert_int_equal(hy__calendar_hours(c, hy__date_days(d), &hours), close_s != 0);
  if (close_s) assert_int_equal(hours.open_s, open_s), assert_int_equal(hours.close_s, close_s);
}

static void calendars_know_holidays(void **state) {
  (void)state;
  check_session("XNYS", (hy__date){2024, 1, 2}, 34200, 57600);
  check_session("XNYS", (hy__date){2024, 1, 1}, 0, 0);
  check_session("XNYS", (hy__date){2024, 11, 29}, 34200, 46800); /* after Thanksgiving */
  check_session("XNYS", (hy__date){2001, 9, 11}, 0, 0);
  check_session("XNYS", (hy__date){2024, 1, 6}, 0, 0); /* a Saturday */
  check_session("XNYS", (hy__date){2050, 1, 3}, 34200, 57600);
  check_session("FX", (hy__date){2024, 1, 1}, -25200, 61200);
  check_session("FX", (hy__date){2024, 1, 7}, 0, 0);
  check_session("24x7", (hy__date){2024, 1, 7}, 0, 86400);
  check_session("XTKS", (hy__date){2024, 11, 5}, 32400, 55800); /* half an hour longer since */
  check_session("XTKS", (hy__date){2024, 11, 4}, 0, 0);         /* culture day's Monday */
  check_session("XLON", (hy__date){2024, 12, 24}, 28800, 45000);
  check_session("CMES", (hy__date){2024, 7, 1}, -25200, 61200);
  assert_null(hy__calendar_find("XMAS"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(dates_go_there_and_back),
      cmocka_unit_test(instants_are_read_and_written),
      cmocka_unit_test(timeframes_have_two_spellings),
      cmocka_unit_test(zones_know_daylight_saving),
      cmocka_unit_test(bad_zones_are_refused),
      cmocka_unit_test(calendars_know_holidays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
