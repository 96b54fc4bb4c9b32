/* SPDX-License-Identifier: Apache-2.0
 * Grids of slower timeframes: ends around changes of the clock, half days and breaks, and against
 * the definition counted minute by minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "market/time.h"

static int64_t ns_of(const char *text) {
  int64_t ns;
  hy_error err;
  if (hy__time_parse(text, NULL, &ns, &err) != HY_OK) fail_msg("%s", err.message);
  return ns;
}

static hy__grid *make(const char *timeframe, hy__anchor anchor, const char *zone,
                      const char *calendar) {
  hy__grid *g;
  hy_error err;
  hy__grid_options o = {.anchor = anchor, .zone = zone, .calendar = calendar};
  assert_int_equal(hy__timeframe_parse(timeframe, &o.timeframe_ns, NULL), HY_OK);
  if (hy__grid_create(&hy__allocator_libc, &o, &g, &err) != HY_OK) fail_msg("%s", err.message);
  return g;
}

typedef struct end_case {
  const char *timeframe, *calendar;
  hy__anchor anchor;
  const char *close, *end;
} end_case;

/* New York: set forward on 2024-03-10 at 07:00Z, back on 2024-11-03 at 06:00Z. */
static const end_case cases[] = {
    {"M15", "", HY__ANCHOR_DEFAULT, "2024-01-03T15:00:00Z", "2024-01-03T15:00:00Z"},
    {"M15", "", HY__ANCHOR_DEFAULT, "2024-01-03T15:00:00.5Z", "2024-01-03T15:15:00Z"},
    {"H4", "", HY__ANCHOR_DEFAULT, "2024-01-03T15:01:00Z", "2024-01-03T17:00:00Z"},
    {"H4", "", HY__ANCHOR_UTC, "2024-01-03T15:01:00Z", "2024-01-03T16:00:00Z"},
    /* 00:00 to 04:00 holds three hours, then five; the others keep their place */
    {"H4", "", HY__ANCHOR_CLOCK, "2024-03-10T05:01:00Z", "2024-03-10T08:00:00Z"},
    {"H4", "", HY__ANCHOR_CLOCK, "2024-03-10T08:01:00Z", "2024-03-10T12:00:00Z"},
    {"H4", "", HY__ANCHOR_CLOCK, "2024-11-03T04:01:00Z", "2024-11-03T09:00:00Z"},
    {"H4", "", HY__ANCHOR_CLOCK, "2024-11-03T09:01:00Z", "2024-11-03T13:00:00Z"},
    /* 02:00 is not shown: the bar before ends with the change; it is not one of 02:00 to 04:00 */
    {"H2", "", HY__ANCHOR_CLOCK, "2024-03-10T06:30:00Z", "2024-03-10T07:00:00Z"},
    {"H2", "", HY__ANCHOR_CLOCK, "2024-03-10T07:01:00Z", "2024-03-10T08:00:00Z"},
    /* 01:00 is shown twice, and so are the hours that it ends and begins */
    {"H1", "", HY__ANCHOR_CLOCK, "2024-11-03T05:30:00Z", "2024-11-03T06:00:00Z"},
    {"H1", "", HY__ANCHOR_CLOCK, "2024-11-03T06:30:00Z", "2024-11-03T07:00:00Z"},
    {"H2", "", HY__ANCHOR_CLOCK, "2024-11-03T04:30:00Z", "2024-11-03T07:00:00Z"},
    {"H2", "", HY__ANCHOR_CLOCK, "2024-11-03T06:30:00Z", "2024-11-03T07:00:00Z"},
    /* days of 23 and 25 hours, and weeks that end on Sunday's midnight */
    {"D1", "", HY__ANCHOR_DEFAULT, "2024-03-10T05:00:01Z", "2024-03-11T04:00:00Z"},
    {"D1", "", HY__ANCHOR_DEFAULT, "2024-03-11T04:00:00Z", "2024-03-11T04:00:00Z"},
    {"D1", "", HY__ANCHOR_DEFAULT, "2024-11-03T04:01:00Z", "2024-11-04T05:00:00Z"},
    {"W1", "", HY__ANCHOR_DEFAULT, "2024-03-06T12:00:00Z", "2024-03-11T04:00:00Z"},
    {"W1", "", HY__ANCHOR_DEFAULT, "2024-03-11T04:00:01Z", "2024-03-18T04:00:00Z"},
    /* months, quarters and years of the clock and of sessions, which end before a weekend */
    {"MN1", "", HY__ANCHOR_DEFAULT, "2024-02-10T12:00:00Z", "2024-03-01T05:00:00Z"},
    {"MN1", "", HY__ANCHOR_DEFAULT, "2024-03-01T05:00:01Z", "2024-04-01T04:00:00Z"},
    {"MN1", "", HY__ANCHOR_UTC, "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z"},
    {"MN3", "", HY__ANCHOR_UTC, "2023-11-05T00:00:00Z", "2024-01-01T00:00:00Z"},
    {"MN12", "", HY__ANCHOR_UTC, "1969-05-05T00:00:00Z", "1970-01-01T00:00:00Z"},
    {"MN1", "XNYS", HY__ANCHOR_DEFAULT, "2024-03-15T20:00:00Z", "2024-03-28T20:00:00Z"},
    {"MN1", "XNYS", HY__ANCHOR_DEFAULT, "2024-03-28T20:01:00Z", "2024-04-30T20:00:00Z"},
    {"MN6", "XNYS", HY__ANCHOR_DEFAULT, "2024-01-02T21:00:00Z", "2024-06-28T20:00:00Z"},
    {"MN1", "CMES", HY__ANCHOR_DEFAULT, "2024-06-30T22:01:00Z", "2024-07-31T22:00:00Z"},
    /* sessions: half day before Independence day, what lies outside belongs to the next one */
    {"D1", "XNYS", HY__ANCHOR_DEFAULT, "2024-07-03T16:59:00Z", "2024-07-03T17:00:00Z"},
    {"D1", "XNYS", HY__ANCHOR_DEFAULT, "2024-07-03T17:01:00Z", "2024-07-05T20:00:00Z"},
    {"W1", "XNYS", HY__ANCHOR_DEFAULT, "2024-03-26T15:00:00Z", "2024-03-28T20:00:00Z"},
    {"W1", "XNYS", HY__ANCHOR_DEFAULT, "2024-03-28T20:01:00Z", "2024-04-05T20:00:00Z"},
    {"H1", "XNYS", HY__ANCHOR_DEFAULT, "2024-07-03T14:10:00Z", "2024-07-03T15:00:00Z"},
    {"H1", "XNYS", HY__ANCHOR_SESSION, "2024-07-03T14:10:00Z", "2024-07-03T14:30:00Z"},
    {"H1", "XNYS", HY__ANCHOR_SESSION, "2024-07-03T16:31:00Z", "2024-07-03T17:00:00Z"},
    {"H1", "XNYS", HY__ANCHOR_SESSION, "2024-07-03T11:00:00Z", "2024-07-03T14:30:00Z"},
    /* Tokyo, 09:00 to 11:30 and 12:30 to 15:30: hours begin anew after lunch */
    {"H1", "XTKS", HY__ANCHOR_SESSION, "2024-11-05T02:10:00Z", "2024-11-05T02:30:00Z"},
    {"H1", "XTKS", HY__ANCHOR_SESSION, "2024-11-05T03:00:00Z", "2024-11-05T04:30:00Z"},
    {"H1", "XTKS", HY__ANCHOR_SESSION, "2024-11-05T03:40:00Z", "2024-11-05T04:30:00Z"},
    {"H2", "XTKS", HY__ANCHOR_SESSION, "2024-11-05T05:40:00Z", "2024-11-05T06:30:00Z"},
    {"D1", "XTKS", HY__ANCHOR_DEFAULT, "2024-11-01T07:00:00Z", "2024-11-05T06:30:00Z"},
    /* futures: the session of Monday opens on Sunday evening, an hour after the clock's change */
    {"D1", "CMES", HY__ANCHOR_DEFAULT, "2024-03-10T22:01:00Z", "2024-03-11T22:00:00Z"},
    {"W1", "CMES", HY__ANCHOR_DEFAULT, "2024-03-10T22:01:00Z", "2024-03-15T22:00:00Z"},
    /* currencies: days begin and end at 17:00 New York, the week on Friday */
    {"D1", "FX", HY__ANCHOR_DEFAULT, "2024-03-08T22:00:00Z", "2024-03-08T22:00:00Z"},
    {"D1", "FX", HY__ANCHOR_DEFAULT, "2024-03-10T21:05:00Z", "2024-03-11T21:00:00Z"},
    {"W1", "FX", HY__ANCHOR_DEFAULT, "2024-03-10T21:05:00Z", "2024-03-15T21:00:00Z"},
    {"H4", "FX", HY__ANCHOR_SESSION, "2024-03-10T21:05:00Z", "2024-03-11T01:00:00Z"},
};

static void ends_are_those_of_the_clock_and_the_sessions(void **state) {
  (void)state;
  for (size_t i = 0; i < HY_COUNT(cases); i++) {
    const end_case *c = &cases[i];
    char got[40];
    hy__grid *g = make(c->timeframe, c->anchor, "America/New_York", c->calendar);
    hy__time_format(hy__grid_end(g, ns_of(c->close)), got);
    if (strcmp(got, c->end))
      fail_msg("%s %s %s: %s, not %s", c->timeframe, c->calendar, c->close, got, c->end);
    hy__grid_destroy(g);
  }
}

/* Whether a bar of `step` minutes ends at that minute: the clock shows a multiple, or has just
 * been set forward over one. */
static bool is_mark(const hy__zone *zone, int64_t utc_s, int64_t step_s) {
  int64_t now = utc_s + hy__zone_offset_s(zone, utc_s);
  int64_t before = utc_s - 60 + hy__zone_offset_s(zone, utc_s - 60) + 60;
  for (int64_t shown = HY_MIN(before, now); shown <= now; shown += 60) {
    if (now < before && shown != now) continue;
    if ((shown % 86400) % step_s == 0) return true;
  }
  return false;
}

static void walk(const char *zone_name, const char *from, int days, const char *timeframe) {
  hy__zone *zone;
  int64_t step_ns;
  assert_int_equal(hy__zone_open(&hy__allocator_libc, zone_name, &zone, NULL), HY_OK);
  assert_int_equal(hy__timeframe_parse(timeframe, &step_ns, NULL), HY_OK);
  hy__grid *g = make(timeframe, HY__ANCHOR_CLOCK, zone_name, NULL);
  int64_t first = ns_of(from) / HY_NS_PER_S, last = first + days * INT64_C(86400), end = 0;
  for (int64_t t = last; t >= first; t -= 60) {
    if (is_mark(zone, t, step_ns / HY_NS_PER_S)) end = t;
    if (end && hy__grid_end(g, t * HY_NS_PER_S) != end * HY_NS_PER_S)
      fail_msg("%s %s: the bar of %lld ends at %lld, not %lld", zone_name, timeframe, (long long)t,
               (long long)end, (long long)(hy__grid_end(g, t * HY_NS_PER_S) / HY_NS_PER_S));
  }
  hy__grid_destroy(g);
  hy__zone_close(zone);
}

static void ends_are_the_definition_minute_by_minute(void **state) {
  (void)state;
  static const char *const timeframes[] = {"M5", "M15", "M30", "M45", "H1", "M90",
                                           "H2", "H3",  "H4",  "H5",  "H12"};
  static const char *const where[][2] = {{"America/New_York", "2024-03-08T00:00:00Z"},
                                         {"America/New_York", "2024-11-01T00:00:00Z"},
                                         {"Europe/London", "2024-03-29T00:00:00Z"},
                                         {"Europe/London", "2024-10-25T00:00:00Z"},
                                         {"Australia/Lord_Howe", "2024-04-05T00:00:00Z"},
                                         {"Australia/Lord_Howe", "2024-10-04T00:00:00Z"},
                                         {"America/Sao_Paulo", "2018-02-16T00:00:00Z"},
                                         {"America/Sao_Paulo", "2018-11-02T00:00:00Z"},
                                         {"Asia/Kolkata", "2024-03-08T00:00:00Z"}};
  for (size_t w = 0; w < HY_COUNT(where); w++)
    for (size_t k = 0; k < HY_COUNT(timeframes); k++)
      walk(where[w][0], where[w][1], 4, timeframes[k]);
}

/* Days of every length: a date's bar is one, also where the clock goes back over midnight. */
static void a_date_is_one_bar(void **state) {
  (void)state;
  hy__grid *g = make("D1", HY__ANCHOR_CLOCK, "America/Sao_Paulo", NULL);
  /* 2018-02-18T02:00Z: from 24:00 back to 23:00 */
  assert_int_equal(hy__grid_end(g, ns_of("2018-02-17T12:00:00Z")), ns_of("2018-02-18T03:00:00Z"));
  assert_int_equal(hy__grid_end(g, ns_of("2018-02-18T02:30:00Z")), ns_of("2018-02-18T03:00:00Z"));
  /* 2018-11-04T03:00Z: from 00:00 to 01:00 */
  assert_int_equal(hy__grid_end(g, ns_of("2018-11-03T12:00:00Z")), ns_of("2018-11-04T03:00:00Z"));
  assert_int_equal(hy__grid_end(g, ns_of("2018-11-04T03:00:01Z")), ns_of("2018-11-05T02:00:00Z"));
  hy__grid_destroy(g);
}

static void what_cannot_be_a_grid_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *timeframe, *base, *calendar;
    hy__anchor anchor;
    hy_status status;
  } bad[] = {{"M5", "M2", "", HY__ANCHOR_DEFAULT, HY_MISMATCH},
             {"D1", "", "", HY__ANCHOR_SESSION, HY_MISMATCH},
             {"MN1", "W1", "", HY__ANCHOR_DEFAULT, HY_MISMATCH},
             {"D30", "MN1", "", HY__ANCHOR_DEFAULT, HY_MISMATCH},
             {"2d", "", "XNYS", HY__ANCHOR_SESSION, HY_UNSUPPORTED},
             {"H36", "", "", HY__ANCHOR_DEFAULT, HY_INVALID_ARGUMENT},
             {"D1", "", "XMAS", HY__ANCHOR_SESSION, HY_NOT_FOUND}};
  for (size_t i = 0; i < HY_COUNT(bad); i++) {
    hy__grid *g;
    hy_error err;
    hy__grid_options o = {.anchor = bad[i].anchor, .zone = "UTC", .calendar = bad[i].calendar};
    assert_int_equal(hy__timeframe_parse(bad[i].timeframe, &o.timeframe_ns, NULL), HY_OK);
    if (bad[i].base[0]) assert_int_equal(hy__timeframe_parse(bad[i].base, &o.base_ns, NULL), HY_OK);
    assert_int_equal(hy__grid_create(&hy__allocator_libc, &o, &g, &err), bad[i].status);
    assert_true(err.message[0] != 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ends_are_those_of_the_clock_and_the_sessions),
      cmocka_unit_test(ends_are_the_definition_minute_by_minute),
      cmocka_unit_test(a_date_is_one_bar),
      cmocka_unit_test(what_cannot_be_a_grid_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
