/* SPDX-License-Identifier: Apache-2.0
 * How much history is enough: a run that starts that many bars before the range against the whole
 * history, and the refusals of what has no bound. */
#include "feature/panel.h"

enum { BARS = 900, SYMBOLS = 8 };

static const double tol = 1e-9;

static hy_status stable_bars(const char *spec, size_t *bars, hy_error *err) {
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, spec);
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(f, &info);
  hy_status status = hy__feature_stable_bars(f, tol, bars, err);
  assert_int_equal(info.stable_bars == 0, status != HY_OK);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  return status;
}

/* The largest difference relative to the values' scale. */
static double worst(const char *spec, size_t back) {
  panel p = panel_make(BARS, SYMBOLS, 0, false);
  size_t begin = BARS - 20;
  hy__feature_range range = {.t_begin = begin};
  answer whole = compute_panel(&p, spec, 1, HY_ISA_DEFAULT, range);
  range.t_start = begin - back;
  answer part = compute_panel(&p, spec, 1, HY_ISA_DEFAULT, range);
  double most = 0, scale = 0;
  for (size_t i = 0; i < whole.n_features * whole.rows * whole.symbols; i++) {
    assert_false(isnan(whole.values[i]));
    scale = fmax(scale, fabs(whole.values[i]));
    most = fmax(most, isnan(part.values[i]) ? 1e300 : fabs(part.values[i] - whole.values[i]));
  }
  free(whole.values);
  free(part.values);
  panel_free(&p);
  return most / scale;
}

static void windows_are_exact(void **state) {
  (void)state;
  static const char *const specs[] = {"sma(close, 9)", "std(ref(close, 3), 20)",
                                      "highest(sma(logret(close, 2), 5), 70)",
                                      "cs.rank(roc(close, 7))"};
  static const size_t bars[] = {8, 22, 75, 7};
  for (size_t i = 0; i < HY_COUNT(specs); i++) {
    size_t n;
    assert_int_equal(stable_bars(specs[i], &n, NULL), HY_OK);
    assert_int_equal(n, bars[i]);
    assert_true(worst(specs[i], n) == 0);
    assert_true(worst(specs[i], n - 1) > 0);
  }
}

static void recurrences_are_within_the_bound(void **state) {
  (void)state;
  static const char *const specs[] = {"ema(close, 20)", "rsi(close, 14)", "atr.talib(14)",
                                      "macd(close, 12, 26, 9).signal", "sma(ema(close, 5), 10)"};
  for (size_t i = 0; i < HY_COUNT(specs); i++) {
    size_t n;
    assert_int_equal(stable_bars(specs[i], &n, NULL), HY_OK);
    assert_in_range(n, 30, 800);
    if (worst(specs[i], n) > 10 * tol)
      fail_msg("%s: %g after %zu bars", specs[i], worst(specs[i], n), n);
  }
}

static void what_has_no_bound_is_named(void **state) {
  (void)state;
  size_t n;
  hy_error err;
  assert_int_equal(stable_bars("sma(close,3); 1 + obv()", &n, &err), HY_UNSUPPORTED);
  assert_non_null(strstr(err.message, "obv accumulates"));
  assert_int_equal(err.column, 19);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(windows_are_exact),
                                     cmocka_unit_test(recurrences_are_within_the_bound),
                                     cmocka_unit_test(what_has_no_bound_is_named)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
