/* SPDX-License-Identifier: Apache-2.0
 * The calendars against the package that they come of: sessions as instants around changes of the
 * clock, half days and breaks, closed days, and sums over all sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "market/calendar.h"

typedef struct golden {
  const char *name;
  int64_t days, last, n; /* n 0: no session; 1: one; else the sessions of [days, last] */
  int64_t seconds[4];    /* or their sums */
} golden;

static const golden rows[] = {
#define HY_SESSION(name, days, open, close, begin, end)                                            \
  {name, days, days, 1, {open, close, begin, end}},
#define HY_NO_SESSION(name, days) {name, days, days, 0, {0}},
#define HY_SESSIONS(name, days, last, n, open, close, begin, end)                                  \
  {name, days, last, n, {open, close, begin, end}},
#include "golden/calendar/sessions.inc"
};

static void sessions_are_those_of_the_package(void **state) {
  (void)state;
  size_t n_names = 0;
  for (size_t i = 0; i < HY_COUNT(rows); i++) {
    const golden *g = &rows[i];
    int64_t n = 0, sums[4] = {0};
    hy__sessions *sessions;
    n_names += i == 0 || strcmp(g->name, rows[i - 1].name);
    assert_int_equal(hy__sessions_open(&hy__allocator_libc, g->name, &sessions, NULL), HY_OK);
    for (int64_t days = g->days; days <= g->last; days++) {
      hy__session s = {0};
      if (!hy__sessions_on(sessions, days, &s)) continue;
      n++;
      const int64_t seconds[4] = {s.open_s, s.close_s, s.break_begin_s, s.break_end_s};
      for (int k = 0; k < 4; k++) sums[k] += seconds[k];
    }
    hy__sessions_close(sessions);
    if (n != g->n || memcmp(sums, g->seconds, sizeof sums))
      fail_msg("%s from day %lld to %lld: %lld sessions, opens %lld and closes %lld in sum",
               g->name, (long long)g->days, (long long)g->last, (long long)n, (long long)sums[0],
               (long long)sums[1]);
  }
  assert_true(n_names >= 15);
}

/* Closes ascend, opens lie before them and after the close before, breaks within. */
static void sessions_follow_each_other(void **state) {
  (void)state;
  for (size_t c = 0; c < hy__calendar_count(); c++) {
    hy__sessions *sessions;
    int64_t before_s = INT64_MIN;
    const char *name = hy__calendar_at(c)->name;
    assert_int_equal(hy__sessions_open(&hy__allocator_libc, name, &sessions, NULL), HY_OK);
    for (int64_t days = 7000; days < 25000; days++) {
      hy__session s = {0}, at = {0};
      if (!hy__sessions_on(sessions, days, &s)) continue;
      if (s.open_s < before_s || s.close_s <= s.open_s || s.break_end_s < s.break_begin_s)
        fail_msg("%s: the session of day %lld", name, (long long)days);
      before_s = s.close_s;
      if (s.break_end_s) assert_true(s.open_s < s.break_begin_s && s.break_end_s < s.close_s);
      if (days % 7 != 5) continue;
      assert_true(hy__sessions_at(sessions, s.close_s, &at) && at.days == days);
      assert_true(hy__sessions_at(sessions, s.close_s + 1, &at) && at.days > days);
    }
    hy__sessions_close(sessions);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sessions_are_those_of_the_package),
      cmocka_unit_test(sessions_follow_each_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
