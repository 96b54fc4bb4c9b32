/* SPDX-License-Identifier: Apache-2.0
 * Time stamps of files: the forms a text could have, its value, and wall clocks to UTC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "market/calendar.h"
#include "market/stamp.h"

static void check(const char *text, unsigned forms, const char *expect, bool is_utc) {
  hy__stamp_value v;
  char back[40];
  assert_int_equal(hy__stamp_forms(text, strlen(text)), forms);
  if (!forms) return;
  const hy__stamp_form form = (hy__stamp_form)(forms & -forms);
  assert_true(hy__stamp_parse(form, text, strlen(text), &v));
  hy__time_format(v.wall_s * HY_NS_PER_S + v.ns, back);
  assert_string_equal(back, expect);
  assert_int_equal(v.is_utc, is_utc);
}

static void forms_are_told_apart(void **state) {
  (void)state;
  check("2024-01-31", HY_FORM_YMD, "2024-01-31T00:00:00Z", false);
  check("2024/1/5 9:30", HY_FORM_YMD, "2024-01-05T09:30:00Z", false);
  check("2024.01.31 23:59:59.5", HY_FORM_YMD, "2024-01-31T23:59:59.5Z", false);
  check("2024-01-31T10:00:00Z", HY_FORM_YMD, "2024-01-31T10:00:00Z", true);
  check("2024-01-31 10:00:00-05:00", HY_FORM_YMD, "2024-01-31T15:00:00Z", true);
  check("2024-01-31 10:00 UTC", HY_FORM_YMD, "2024-01-31T10:00:00Z", true);
  check("31.01.2024 10:00:00.000 GMT+0100", HY_FORM_DMY, "2024-01-31T09:00:00Z", true);
  check("20240131", HY_FORM_COMPACT, "2024-01-31T00:00:00Z", false);
  check("20240131 093000", HY_FORM_COMPACT, "2024-01-31T09:30:00Z", false);
  check("202401310930", HY_FORM_COMPACT, "2024-01-31T09:30:00Z", false);
  check("20240131093015", HY_FORM_COMPACT, "2024-01-31T09:30:15Z", false);
  check("1706693400", HY_FORM_EPOCH, "2024-01-31T09:30:00Z", true);
  check("1706693400123", HY_FORM_EPOCH, "2024-01-31T09:30:00.123Z", true);
  check("1706693400123456", HY_FORM_EPOCH, "2024-01-31T09:30:00.123456Z", true);
  check("1706693400123456789", HY_FORM_EPOCH, "2024-01-31T09:30:00.123456789Z", true);
  check("1706693400.5", HY_FORM_EPOCH, "2024-01-31T09:30:00.5Z", true);
  check("31/1/2024", HY_FORM_DMY, "2024-01-31T00:00:00Z", false);
  check("1/31/2024 1:05 PM", HY_FORM_MDY, "2024-01-31T13:05:00Z", false);
  check("1.2.2024", HY_FORM_DMY, "2024-02-01T00:00:00Z", false);
  check("12/31/2024 12:00:00 AM", HY_FORM_MDY, "2024-12-31T00:00:00Z", false);
  check("12/31/2024 12:05 PM", HY_FORM_MDY, "2024-12-31T12:05:00Z", false);
  check(" 2024-01-31 ", HY_FORM_YMD, "2024-01-31T00:00:00Z", false);
}

static void two_forms_stay_two(void **state) {
  (void)state;
  assert_int_equal(hy__stamp_forms("1/2/2024", 8), HY_FORM_DMY | HY_FORM_MDY);
  assert_int_equal(hy__stamp_forms("1-2-2024", 8), HY_FORM_DMY | HY_FORM_MDY);
}

static void no_times_are_none(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    "2024",
                                    "2024-13-01",
                                    "2024-02-30",
                                    "31/31/2024",
                                    "2024-01/31",
                                    "2024-01-31x",
                                    "12.5",
                                    "1e9",
                                    "20240199",
                                    "2024-01-31 25:00",
                                    "2024-01-31 10:61",
                                    "1/2/24",
                                    "2024-01-31 10:00+5",
                                    "-1706693400",
                                    "99999999999999999999",
                                    "2024-01-31 13:00 PM"};
  for (size_t k = 0; k < HY_COUNT(bad); k++)
    if (hy__stamp_forms(bad[k], strlen(bad[k]))) fail_msg("%s was taken for a time", bad[k]);
}

static void clocks_have_columns_of_their_own(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t s;
  } rows[] = {{"09:30", 34200}, {"9:30:15", 34215}, {"093000", 34200}, {"930", 34200},
              {"24:00", 86400}, {"1530", 55800},    {"12:00 AM", 0}};
  for (size_t k = 0; k < HY_COUNT(rows); k++) {
    hy__stamp_value v = {0};
    assert_true(hy__stamp_clock(rows[k].text, strlen(rows[k].text), &v));
    assert_int_equal(v.wall_s, rows[k].s);
  }
  hy__stamp_value v = {0};
  assert_false(hy__stamp_clock("9", 1, &v) || hy__stamp_clock("24:01", 5, &v) ||
               hy__stamp_clock("noon", 4, &v));
}

/* The cache of a day's offset against the plain search, over two years and both changes. */
static void walls_agree_with_the_zone(void **state) {
  (void)state;
  hy__zone *zone;
  hy__walls walls;
  assert_int_equal(hy__zone_from_rule(&hy__allocator_libc, HY_NEW_YORK_RULE, &zone, NULL), HY_OK);
  hy__walls_init(&walls, zone);
  const int64_t start = hy__date_days((hy__date){2023, 1, 1}) * HY_S_PER_DAY;
  for (int64_t s = start; s < start + 730 * HY_S_PER_DAY; s += 1800) {
    int64_t utc, later, walls_later;
    (void)hy__zone_to_utc(zone, s, &utc, &later);
    assert_int_equal(hy__walls_utc_s(&walls, s, &walls_later), utc);
    assert_int_equal(walls_later, later);
  }
  assert_int_equal(walls.n_ambiguous, 4);
  assert_int_equal(walls.n_nonexistent, 4);
  hy__zone_close(zone);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forms_are_told_apart),
      cmocka_unit_test(two_forms_stay_two),
      cmocka_unit_test(no_times_are_none),
      cmocka_unit_test(clocks_have_columns_of_their_own),
      cmocka_unit_test(walls_agree_with_the_zone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
