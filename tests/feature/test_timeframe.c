/* SPDX-License-Identifier: Apache-2.0
 * Timeframes in specs: what each name, key and context means in the graph, and what is refused. */
#include "feature/panel.h"
#include "support/runtime.h"

/* The canonical form's nodes. */
static void nodes_are(const char *yaml, const char *nodes) {
  hy_features *f;
  hy_error err;
  if (features_parse(runtime, yaml, NULL, &f, &err) != HY_OK) fail_msg("%s: %s", yaml, err.message);
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(f, &info);
  const char *at = strstr(info.canonical, "\"nodes\":[");
  assert_non_null(at);
  if (strncmp(at + 9, nodes, strlen(nodes))) fail_msg("%s: %s", yaml, at);
  hy_features_destroy(f);
}

#define H1    ",\"tf\":\"ns=3600000000000,anchor=default\"}"
#define M5    ",\"tf\":\"ns=300000000000,anchor=default\"}"
#define CLOSE "{\"field\":\"close\",\"gap\":\"none\""

static void mixed_inputs_meet_at_the_fastest(void **state) {
  (void)state;
  nodes_are("close / close@H1", CLOSE "}," CLOSE H1 ",{\"asof\":[1,0],\"gap\":\"none\"},"
                                      "{\"id\":\"div\",\"in\":[[0,0],[2,0]]");
  /* all inputs slower: the call is slower, and its value is what is joined */
  nodes_are("close@H1 - open@H1", CLOSE H1
            ",{\"field\":\"open\",\"gap\":\"none\"" H1 ",{\"id\":\"sub\",\"in\":[[0,0],[1,0]],"
            "\"params\":{},\"version\":1},{\"asof\":[2,0],\"gap\":\"none\"}]");
  /* numbers have no timeframe */
  nodes_are("1 - close@H1", "{\"gap\":\"none\",\"number\":\"0x1p+0\"}," CLOSE H1
                            ",{\"id\":\"sub\",\"in\":[[0,0],[1,0]]");
  /* H1 joins M5, and the result the universe's own bars */
  nodes_are("close@M5 - close@H1", CLOSE M5 "," CLOSE H1 ",{\"asof\":[1,0],\"gap\":\"none\"" M5
                                            ",{\"id\":\"sub\",\"in\":[[0,0],[2,0]],\"params\":{},"
                                            "\"version\":1},{\"asof\":[3,0],\"gap\":\"none\"}]");
}

static void a_timeframe_is_a_context(void **state) {
  (void)state;
  const char *h1 = CLOSE H1 ",{\"id\":\"sma\",\"in\":[[0,0]],\"params\":{\"n\":\"0x1.8p+1\"},"
                            "\"version\":1},{\"asof\":[1,0],\"gap\":\"none\"}]";
  nodes_are("sma(close,3)@H1", h1);
  nodes_are("sma(close@H1,3)", h1);
  nodes_are("features: [{name: a, expr: \"sma(close,3)\", tf: H1}]", h1);
  nodes_are("features: [{name: a, op: sma, in: c, n: 3, tf: [H1]}]", h1);
  nodes_are("{timeframes: {H1: {}}, features: [{name: a, op: sma, in: c, n: 3, tf: H1}]}", h1);
  /* an item's own timeframe holds for who refers to it; an item without has that of who refers */
  nodes_are("features: [{name: a, op: sma, in: c, n: 3, tf: H1}, \"b = a\"]", h1);
  nodes_are("features: [{name: b, expr: \"a\", tf: H1}, {name: a, expr: \"sma(c,3)\", tf: H1}]",
            h1);
  nodes_are("{features: [\"a = sma(close,3)\", \"b = a@H1\"], output: {order: [b]}}", h1);
  /* fields that a definition takes by itself follow the series that is given */
  nodes_are("atr(3, close=close@H1)", CLOSE H1 ",{\"field\":\"high\",\"gap\":\"none\"" H1);
  /* an explicit one wins */
  nodes_are("features: [{name: a, expr: \"close@M5\", tf: H1}]", CLOSE M5 ",{\"asof\":[0,0]");
  /* the universe's own, by its name */
  nodes_are("{base: M5, features: [\"close@M5\"]}", CLOSE "}]");
  nodes_are("{timeframes: {D1: {anchor: session}}, features: [\"close@D1\"]}",
            CLOSE ",\"tf\":\"ns=86400000000000,anchor=session\"}");
}

static void lists_give_an_output_each(void **state) {
  (void)state;
  hy_features *f;
  hy_error err;
  const char *yaml = "{base: M1, timeframes: {M5: {}, H1: {}}, features: ["
                     "{name: a, expr: \"sma(c,3)\", tf: [M1, M5, H1]}, \"b = a@H1 - a\"], "
                     "output: {order: [a@H1, b, a@M1]}}";
  if (features_parse(runtime, yaml, NULL, &f, &err) != HY_OK) fail_msg("%s", err.message);
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(f, &info);
  assert_int_equal(info.n_features, 3);
  assert_string_equal(info.names[0], "a@H1");
  assert_string_equal(info.names[1], "b");
  assert_string_equal(info.names[2], "a@M1");
  assert_int_equal(info.lookback_bars, 3 * 60 - 1); /* the third hour has ended */
  hy_features_destroy(f);
}

static void wrong_ones_are_refused(void **state) {
  (void)state;
  static const char *const bad[][2] = {
      {"{timeframes: {H1: {}}, features: [\"close@M5\"]}", "no timeframe \"M5\""},
      {"{base: M5, features: [\"close@M7\"]}", "no multiple of base M5"},
      {"{timeframes: {H1: {anchor: moon}}, features: [close]}", "anchor: \"moon\""},
      {"{timeframes: {H1: {ankor: utc}}, features: [close]}", "ankor"},
      {"{timeframes: {1h: {}}, features: [close]}", "a name such as M5"},
      {"{timeframes: [H1], features: [close]}", "a map of names"},
      {"features: [{name: a, expr: c, tf: []}]", "1 to 16 timeframes"},
      {"features: [{name: a, expr: c, tf: [H1, H1]}]", "a@H1 is given twice"},
      {"{features: [{name: a, expr: c, tf: [H1]}], output: {order: [a]}}", "write a@H1"},
      {"age_bars@H1 + close@M1 * age_bars@M1@H1", "an operator"},
      {"features: [{name: a, expr: \"age_bars@M5\", tf: H1}]", "slower than the bars"},
      {"features: [{name: a, expr: \"a@H1\"}]", "defined by itself"},
      {"features: [{name: a, expr: \"c\", tf: H1}, {name: b, expr: \"a@M5@H1\"}]", "an operator"},
  };
  for (size_t i = 0; i < HY_COUNT(bad); i++) {
    hy_features *f;
    hy_error err;
    if (features_parse(runtime, bad[i][0], NULL, &f, &err) == HY_OK)
      fail_msg("%s is taken", bad[i][0]);
    if (!strstr(err.message, bad[i][1])) fail_msg("%s: %s", bad[i][0], err.message);
  }
}

/* Through the YAML form, however the text stands in it. */
static void mistakes_have_their_place_in_the_file(void **state) {
  (void)state;
  static const struct {
    const char *yaml;
    int line, column;
  } bad[] = {
      {"features:\n  - name: a\n    expr: c + close@M0\n", 3, 20},
      {"features:\n  - name: a\n    expr: \"c + close@M0\"\n", 3, 21},
      {"features:\n  - name: a\n    expr: |\n      c + close@M0\n", 4, 16},
      {"features:\n  - name: a\n    expr: |\n      c +\n      close@M0\n", 5, 12},
      {"features:\n  - name: a\n    expr: |2\n        c +\n      close@M0\n", 5, 12},
      {"features:\n  - name: a\n    expr: |\n      c +\n", 4, 10},
      {"|\n  a = c;\n  b = close@M0\n", 3, 12},
      {">\n\n  close@M0\n", 3, 8},
      {"features: [c]\noutput: {order: []}\n", 2, 17},
  };
  for (size_t i = 0; i < HY_COUNT(bad); i++) {
    hy_features *f;
    hy_error err = {0};
    assert_int_not_equal(features_parse(runtime, bad[i].yaml, NULL, &f, &err), HY_OK);
    if (err.line != bad[i].line || err.column != bad[i].column)
      fail_msg("%s: %d:%d: %s", bad[i].yaml, err.line, err.column, err.message);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mixed_inputs_meet_at_the_fastest),
      cmocka_unit_test(a_timeframe_is_a_context),
      cmocka_unit_test(lists_give_an_output_each),
      cmocka_unit_test(wrong_ones_are_refused),
      cmocka_unit_test(mistakes_have_their_place_in_the_file),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
