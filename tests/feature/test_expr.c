/* SPDX-License-Identifier: Apache-2.0
 * Expressions: what they mean as numbers, how they are shared, and where a mistake stands. */
#include "feature/panel.h"
#include "feature/program.h"

static double value_of(const char *expr) {
  panel p = panel_empty(3, 1);
  static const double bar[PANEL_FIELDS] = {10, 14, 8, 12, 500, 11};
  for (size_t t = 0; t < 3; t++) {
    p.time_ns[t] = (int64_t)t + 1;
    p.valid[t] = 1;
    for (size_t k = 0; k < PANEL_FIELDS; k++) p.data[k][t] = bar[k] + (double)t;
  }
  answer a = compute_panel(&p, expr, 1, HY_ISA_SCALAR, (hy__feature_range){.t_begin = 2});
  double value = a.values[(a.n_features - 1) * a.rows];
  free(a.values);
  panel_free(&p);
  return value;
}

static void precedence_is_c(void **state) {
  (void)state;
  assert_true(value_of("2+3*4") == 14);
  assert_true(value_of("(2+3)*4") == 20);
  assert_true(value_of("2-3-4") == -5);
  assert_true(value_of("24/4/3") == 2);
  assert_true(value_of("-2*-3") == 6);
  assert_true(value_of("2 - -3") == 5);
  assert_true(value_of("-c") == -14);
  assert_true(value_of("--c") == 14);
  assert_true(value_of("-(1+1)*3") == -6);
  assert_true(value_of("1+1 == 2") == 1);
  assert_true(value_of("1 < 2 == 1") == 1);
  assert_true(value_of("3 > 2 > 1") == 0); /* (3 > 2) > 1 */
  assert_true(value_of("2 >= 2") == 1);
  assert_true(value_of("c - o <= 1.5e0") == 0);
  assert_true(value_of("c\n -\to") == 2);
}

static void names_mean_fields_and_items(void **state) {
  (void)state;
  assert_true(value_of("o+h+l+c+v+vwap") == 567); /* o h l c v are 12 16 10 14 502, vwap 13 */
  assert_true(value_of("open+high+low+close+volume") == 554);
  assert_true(value_of("b = a*2; a = c+1; b*1") == 30);
  assert_true(value_of("m = bbands(c, 3, 1); m.middle") == 13);
  assert_true(value_of("bbands(c, n=3, k=1).middle") == 13);
  assert_true(value_of("sma@1(c, 3)") == 13);
  assert_true(value_of("ref(c, k=2)") == 12);
  assert_true(value_of("where(c > o, 1, 2)") == 1);
  assert_true(value_of("clip(c, lo=0, hi=3)") == 3);
  assert_true(value_of("tr(close=o)") == 6);
  assert_true(isnan(value_of("ref(c, 3)")));
  assert_true(isnan(value_of("c/0")));
  assert_true(isnan(value_of("0/0 == 1")));
}

static void equal_parts_are_one_node(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make(1, HY_ISA_SCALAR);
  hy_features *f =
      features_make(runtime, "a = sma(c,5)/c; b = sma(close, n=5) / close + a; sma(a, 5)");
  assert_int_equal(f->n_nodes, 5); /* close, sma, div, add, sma */
  assert_int_equal(f->n_features, 3);
  assert_string_equal(f->names[2], "sma(a,5)");
  assert_int_equal(f->lookback_bars, 8);
  assert_int_equal(f->stable_bars, 8);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

static void refuse(const char *spec, hy_status status, int line, int column, const char *message) {
  hy_runtime *runtime = runtime_make(1, HY_ISA_SCALAR);
  hy_features *f;
  hy_error err = {0};
  hy_status got = hy_features_create(runtime, spec, &f, &err);
  if (got != status || err.line != line || err.column != column || !strstr(err.message, message))
    fail_msg("%s: %d at %d:%d: %s", spec, got, err.line, err.column, err.message);
  hy_runtime_destroy(runtime);
}

static void mistakes_have_a_place(void **state) {
  (void)state;
  refuse("", HY_BAD_FORMAT, 1, 1, "the list of features is empty");
  refuse(" ; ;", HY_BAD_FORMAT, 1, 1, "the list of features is empty");
  refuse("c +", HY_BAD_FORMAT, 1, 4, "not the end");
  refuse("c;\n c c", HY_BAD_FORMAT, 2, 4, "an operator, \";\" or the end");
  refuse("c != o", HY_BAD_FORMAT, 1, 3, "an operator");
  refuse("sma(c,,3)", HY_BAD_FORMAT, 1, 7, "was expected");
  refuse("sma(c, 3", HY_BAD_FORMAT, 1, 9, "\",\" or \")\"");
  refuse("sma@2(c,3)", HY_NOT_FOUND, 1, 1, "\"sma\" has no version 2");
  refuse("sma@x(c,3)", HY_BAD_FORMAT, 1, 6, "a version number");
  refuse("sma@1", HY_BAD_FORMAT, 1, 6, "\"(\" after the version");
  refuse("x = sma(c, 3); y = xx.up", HY_NOT_FOUND, 1, 20, "unknown name \"xx.up\"");
  /* a timeframe's mistakes stand at its "@" */
  refuse("c + sma(o, 3)@banana", HY_INVALID_ARGUMENT, 1, 14, "\"banana\" is no timeframe");
  refuse("c;\n close@D0", HY_INVALID_ARGUMENT, 2, 7, "\"D0\" is no timeframe");
  refuse("bbands(c, 20, 2).up@H", HY_INVALID_ARGUMENT, 1, 20, "\"H\" is no timeframe");
  refuse("sma(age_bars@M5, 3)@H1", HY_BAD_FORMAT, 1, 13, "a timeframe slower than the bars");
  refuse("1 + age_bars@X1", HY_INVALID_ARGUMENT, 1, 13, "\"X1\" is no timeframe");
  refuse("x = c; x = o", HY_BAD_FORMAT, 1, 8, "defined twice");
  refuse("c; c", HY_BAD_FORMAT, 1, 4, "defined twice");
  refuse("v = c", HY_BAD_FORMAT, 1, 1, "a field's name");
  refuse("sma(c, o)", HY_BAD_FORMAT, 1, 8, "n of sma must be a number");
  refuse("sma(c, 2.5)", HY_BAD_FORMAT, 1, 8, "whole number of 1 to 100000, not 2.5");
  refuse("quantile(c, 5, 1.5)", HY_BAD_FORMAT, 1, 16, "a number of 0 to 1, not 1.5");
  refuse("quantile.qlib(c, 5, -1)", HY_BAD_FORMAT, 1, 21, "a number of 0 to 1, not -1");
  refuse("order(c, 5, low=20)", HY_BAD_FORMAT, 1, 17, "a number of 0 to 1, not 20");
  refuse("cs.winsor(c, p=5)", HY_BAD_FORMAT, 1, 16, "a number of 0 to 1, not 5");
  refuse("cs.winsor(c, min_names=0)", HY_BAD_FORMAT, 1, 24, "a whole number of 1 to 100000, not 0");
  refuse("ewma_vol(c, 20, 1)", HY_BAD_FORMAT, 1, 17, "must be a number above 0 and below 1, not 1");
  refuse("bbands(c, 20, -2)", HY_BAD_FORMAT, 1, 15, "k of bbands must be a number of 0 or more");
  refuse("percentile(c, 30, 101)", HY_BAD_FORMAT, 1, 19, "a number of 0 to 100, not 101");
  refuse("mama(c, slow=0.001)", HY_BAD_FORMAT, 1, 14, "a number of 0.01 to 0.99, not 0.001");
  refuse("clip(c, 0, 1e999)", HY_BAD_FORMAT, 1, 12, "the number is not finite");
  refuse("t3(c, 5, 1.5)", HY_BAD_FORMAT, 1, 10, "v of t3 must be a number of 0 to 1");
  refuse("roll.z(c, 20, ddof=2)", HY_BAD_FORMAT, 1, 20, "a whole number of 0 to 1, not 2");
  refuse("roll.z(c, 20, min=1.5)", HY_BAD_FORMAT, 1, 19, "a whole number of 0 to 100000");
  refuse("clip(c, 5, -5)", HY_BAD_FORMAT, 1, 1, "lo of clip is 5, more than its hi = -5");
  refuse("sma(c, 100001)", HY_BAD_FORMAT, 1, 8, "whole number");
  refuse("ref(c)", HY_BAD_FORMAT, 1, 1, "ref(x, k) needs k");
  refuse("corr(c)", HY_BAD_FORMAT, 1, 1, "needs y");
  refuse("cs.rank(1)", HY_BAD_FORMAT, 1, 9, "must be a series");
  refuse("clsoe()", HY_NOT_FOUND, 1, 1, "unknown feature");
  refuse("1e999", HY_BAD_FORMAT, 1, 1, "not finite");
}

static void depth_is_bounded(void **state) {
  (void)state;
  char text[400] = "";
  for (size_t i = 0; i < 63; i++) text[i] = '(';
  text[63] = 'c';
  for (size_t i = 64; i < 127; i++) text[i] = ')';
  assert_true(value_of(text) == 14);
  memmove(text + 1, text, 128);
  text[0] = '(';
  strcat(text, ")");
  refuse(text, HY_LIMIT, 1, 65, "nested deeper");
  /* a chain of items doubles what it stands for, 40 times over: shared, it is 41 nodes */
  char chain[2048] = "a0 = c + o";
  for (int i = 1; i <= 40; i++) {
    size_t used = strlen(chain);
    snprintf(chain + used, sizeof chain - used, "; a%d = a%d - a%d", i, i - 1, i - 1);
  }
  assert_true(value_of(chain) == 0);
}

/* Names stand in reports, files and messages. */
static void names_are_bounded(void **state) {
  (void)state;
  static char text[5000];
  memset(text, 'a', 2048);
  snprintf(text + 2048, sizeof text - 2048, " = c; b = c + o");
  assert_true(value_of(text) == 26);
  memset(text, 'a', 2049);
  snprintf(text + 2049, sizeof text - 2049, " = c; b = c + o");
  refuse(text, HY_LIMIT, 1, 1, "the feature's name has 2049 bytes, at most 2048: write NAME =");
  memset(text, '0', 2051); /* without a name of its own it is named by its text */
  memcpy(text, "c +", 3);
  text[2051] = 0;
  refuse(text, HY_LIMIT, 1, 1, "the feature's name has 2050 bytes");
  memcpy(text, "x=c+", 4);
  assert_true(value_of(text) == 14);
  memcpy(text, "x = ", 4);
  memset(text + 4, 'a', 2049);
  text[4 + 2049] = 0;
  refuse(text, HY_LIMIT, 1, 5, "a name of 2049 bytes");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(precedence_is_c),          cmocka_unit_test(names_mean_fields_and_items),
      cmocka_unit_test(equal_parts_are_one_node), cmocka_unit_test(mistakes_have_a_place),
      cmocka_unit_test(depth_is_bounded),         cmocka_unit_test(names_are_bounded)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
