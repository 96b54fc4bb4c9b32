/* SPDX-License-Identifier: Apache-2.0
 * Windows of several timeframes: the same bits on any number of threads, and those of the features
 * that hy_features_compute gives. Values of slower timeframes are held to pandas in tests/python.
 */
#include "feature/panel.h"

#include <hayate/feature_window.h>

enum { BARS = 300, SYMBOLS = 11, MINUTES = 40, QUARTERS = 6, FIRST = 290 };

static const char spec[] =
    "a = rsi.mid(close,5); b = a@M15; d = cs.rank(mom(close,2)@M15); e = close - close@M15";

static panel market;

typedef struct answers {
  double *minutes, *quarters;
} answers;

static answers compute(uint32_t n_threads) {
  hy_runtime *runtime = runtime_make(n_threads, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, spec);
  hy_universe *u = panel_open(runtime, &market);
  const size_t rows = BARS - FIRST;
  answers a = {panel_alloc(rows * SYMBOLS * MINUTES * 2, 8),
               panel_alloc(rows * SYMBOLS * QUARTERS * 2, 8)};
  uint32_t indices[8];
  hy_error err;
  assert_int_equal(hy_features_at(f, "M1", indices), 2);
  assert_int_equal(indices[1], 3);
  assert_int_equal(hy_features_at(f, "15m", indices), 2);
  const hy_features_window windows[] = {{"M15", QUARTERS}, {NULL, MINUTES}};
  void *const out[] = {a.quarters, a.minutes};
  hy_features_windows_options o = {.struct_size = sizeof o,
                                   .windows = windows,
                                   .n_windows = 2,
                                   .t_begin = FIRST,
                                   .t_end = BARS,
                                   .dtype = HY_F64};
  if (hy_features_windows(f, u, &o, out, &err) != HY_OK) fail_msg("%s", err.message);
  hy_universe_destroy(u);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  return a;
}

static void free_answers(answers a) {
  free(a.minutes);
  free(a.quarters);
}

static int set_up(void **state) {
  (void)state;
  market = panel_make(BARS, SYMBOLS, 100, true);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  panel_free(&market);
  return 0;
}

static void threads_change_nothing(void **state) {
  (void)state;
  answers one = compute(1), three = compute(3);
  const size_t rows = (BARS - FIRST) * SYMBOLS * 2 * sizeof(double);
  assert_memory_equal(one.minutes, three.minutes, rows * MINUTES);
  assert_memory_equal(one.quarters, three.quarters, rows * QUARTERS);
  size_t n = 0;
  for (size_t i = 0; i < (size_t)(BARS - FIRST) * SYMBOLS * QUARTERS * 2; i++)
    n += one.quarters[i] == one.quarters[i];
  assert_true(n > (size_t)(BARS - FIRST) * SYMBOLS * QUARTERS);
  free_answers(one);
  free_answers(three);
}

/* Every bar of each window, counted back over the symbol's own bars. */
static void they_hold_the_symbols_own_bars(void **state) {
  (void)state;
  answers a = compute(2);
  answer whole = compute_panel(&market, spec, 1, HY_ISA_DEFAULT, (hy__feature_range){0});
  for (size_t r = 0; r < BARS - FIRST; r++)
    for (size_t s = 0; s < SYMBOLS; s++) {
      size_t t = FIRST + r + 1;
      for (size_t bar = MINUTES; bar-- > 0;) {
        const double *got = &a.minutes[((r * SYMBOLS + s) * MINUTES + bar) * 2];
        while (t > 0 && !market.valid[(t - 1) * SYMBOLS + s]) t--;
        if (t == 0) {
          assert_true(isnan(got[0]) && isnan(got[1]));
          continue;
        }
        t--;
        assert_memory_equal(&got[0], answer_at(&whole, 0, t, s), 8);
        assert_memory_equal(&got[1], answer_at(&whole, 3, t, s), 8);
      }
    }
  free(whole.values);
  free_answers(a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_change_nothing),
      cmocka_unit_test(they_hold_the_symbols_own_bars),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
