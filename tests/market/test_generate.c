/* SPDX-License-Identifier: Apache-2.0
 * The synthetic universe's parts: its axis, its factors, and that a symbol depends on nothing but
 * its number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "market/generate.h"
#include "market/time.h"

enum { BARS = 1200 };
static int64_t time_ns[BARS];
static double numbers[5 + HY_SECTORS][BARS];
static uint8_t first[BARS];

static hy__tape make_tape(const char *timeframe, uint64_t seed) {
  hy__tape t = {.n_bars = BARS,
                .time_ns = time_ns,
                .first = first,
                .phase = numbers[0],
                .share = numbers[1],
                .regime = numbers[2],
                .market = numbers[3],
                .overnight = numbers[4]};
  int64_t ns = 0;
  hy_error err;
  for (int k = 0; k < HY_SECTORS; k++) t.sector[k] = numbers[5 + k];
  assert_int_equal(hy__timeframe_parse(timeframe, &ns, NULL), HY_OK);
  if (hy__tape_fill(&t, ns, seed, &err) != HY_OK) fail_msg("%s", err.message);
  return t;
}

static void check_time(size_t bar, const char *expect) {
  char text[40];
  hy__time_format(time_ns[bar], text);
  assert_string_equal(text, expect);
}

static void sessions_follow_new_york(void **state) {
  (void)state;
  (void)make_tape("1m", 7);
  check_time(0, "2024-01-02T14:31:00Z");
  check_time(389, "2024-01-02T21:00:00Z");
  check_time(390, "2024-01-03T14:31:00Z");
  assert_true(first[0] && !first[1] && first[390]);
  (void)make_tape("1h", 7);
  check_time(6, "2024-01-02T21:00:00Z");     /* a short last bar */
  check_time(7 * 9, "2024-01-16T15:30:00Z"); /* the 15th is Martin Luther King's day */
  (void)make_tape("1d", 7);
  check_time(0, "2010-01-04T21:00:00Z");
  check_time(227, "2010-11-26T18:00:00Z"); /* a half day */
  (void)make_tape("1w", 7);
  check_time(0, "2010-01-08T21:00:00Z");
  check_time(12, "2010-04-01T20:00:00Z"); /* before Good Friday */
  for (size_t k = 1; k < BARS; k++) assert_true(time_ns[k] > time_ns[k - 1]);
}

static void factors_are_of_the_right_size(void **state) {
  (void)state;
  const hy__tape t = make_tape("1d", 11);
  double sum = 0, squares = 0;
  for (size_t k = 0; k < BARS; k++) {
    sum += t.market[k];
    squares += t.market[k] * t.market[k];
    assert_true(t.regime[k] > 0.1 && t.regime[k] < 10);
  }
  assert_true(fabs(sum / BARS) < 0.002);
  const double sigma = sqrt(squares / BARS);
  assert_true(sigma > 0.005 && sigma < 0.03);
}

static void timeframes_have_limits(void **state) {
  (void)state;
  hy__tape t = {.n_bars = (size_t)1 << 24};
  const int64_t s = HY_NS_PER_S;
  assert_int_equal(hy__tape_fill(&t, 0, 7, NULL), HY_INVALID_ARGUMENT);
  assert_int_equal(hy__tape_fill(&t, 36 * 3600 * s, 7, NULL), HY_INVALID_ARGUMENT);
  assert_int_equal(hy__tape_fill(&t, 86400 * s, 7, NULL), HY_LIMIT);
}

static void fill_symbol(const hy__tape *t, uint64_t seed, size_t symbol, double *cells,
                        uint8_t *valid) {
  hy__symbol_cells c = {.valid = valid};
  for (int f = 0; f < HY__GENERATE_FIELDS; f++) c.field[f] = cells + (size_t)f * BARS * HY_LANES;
  hy__generate_symbol(t, seed, symbol, &c);
}

static void a_symbol_depends_on_its_number_alone(void **state) {
  (void)state;
  const size_t n = (size_t)HY__GENERATE_FIELDS * BARS * HY_LANES;
  double *a = calloc(n, sizeof *a), *b = calloc(n, sizeof *b);
  uint8_t *valid = calloc(BARS * HY_LANES, 1);
  const hy__tape t = make_tape("5m", 5);
  fill_symbol(&t, 5, 3, a, valid);
  fill_symbol(&t, 5, 9, b, valid);
  assert_memory_not_equal(a, b, n * sizeof *a);
  memset(b, 0, n * sizeof *b);
  fill_symbol(&t, 5, 3, b, valid);
  assert_memory_equal(a, b, n * sizeof *a);
  for (size_t k = 0; k < BARS; k++) assert_int_equal(valid[k * HY_LANES], !isnan(b[k * HY_LANES]));
  free(a), free(b), free(valid);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sessions_follow_new_york),
      cmocka_unit_test(factors_are_of_the_right_size),
      cmocka_unit_test(timeframes_have_limits),
      cmocka_unit_test(a_symbol_depends_on_its_number_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
