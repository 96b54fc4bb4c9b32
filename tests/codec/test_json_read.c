/* SPDX-License-Identifier: Apache-2.0
 * The JSON reader: values, places, limits at and past the edge, everything RFC 8259 forbids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/json.h"
#include "support/failing_allocator.h"

static hy__arena *arena;

static int make_arena(void **state) {
  (void)state;
  return hy__arena_create(&hy__allocator_libc, 0, 0, &arena, NULL) != HY_OK;
}

static int free_arena(void **state) {
  (void)state;
  hy__arena_destroy(arena);
  return 0;
}

static hy_status parse(const char *text, const hy__json_limits *limits, hy__json_document *d,
                       hy_error *err) {
  *d = (hy__json_document){.text = text, .bytes = strlen(text), .subject = "x.json"};
  hy_error_clear(err);
  return hy__json_parse(d, limits, arena, err);
}

static void values(void **state) {
  (void)state;
  hy__json_document d;
  hy_error err;
  const char *text =
      " {\"a\": [1, -2.5e1, 0], \"b\": {\"t\": true, \"f\": false, \"n\": null},\n"
      "  \"s\": \"\\u75be\\ud83c\\udf2a\\n\\/\", \"m\": [1, \"x\"], \"e\": [], \"o\": {},"
      " \"big\": 9223372036854775807, \"bigger\": 9223372036854775808} ";
  assert_int_equal(parse(text, NULL, &d, &err), HY_OK);
  const hy__json *a = hy__json_get(d.root, "a");
  assert_int_equal(a->n_children, 3);
  assert_true(a->numbers[0] == 1 && a->numbers[1] == -25 && a->numbers[2] == 0);
  const hy__json *b = hy__json_get(d.root, "b");
  assert_true(hy__json_get(b, "t")->boolean && !hy__json_get(b, "f")->boolean);
  assert_int_equal(hy__json_get(b, "n")->kind, HY__JSON_NULL);
  assert_string_equal(hy__json_get(d.root, "s")->text, "疾\xF0\x9F\x8C\xAA\n/");
  const hy__json *m = hy__json_get(d.root, "m");
  assert_null(m->numbers);
  assert_int_equal(m->first->integer, 1);
  assert_string_equal(m->first->next->text, "x");
  assert_int_equal(hy__json_get(d.root, "e")->n_children, 0);
  assert_int_equal(hy__json_get(d.root, "o")->n_children, 0);
  assert_true(hy__json_get(d.root, "big")->is_integer);
  assert_true(hy__json_get(d.root, "big")->integer == INT64_MAX);
  assert_false(hy__json_get(d.root, "bigger")->is_integer);
  assert_null(hy__json_get(d.root, "none"));
  assert_null(hy__json_get(a, "none"));
  assert_int_equal(parse("\xEF\xBB\xBF 7", NULL, &d, &err), HY_OK);
  assert_int_equal(d.root->integer, 7);
}

static void refused(const char *text, hy_status status, int line, int column) {
  hy__json_document d;
  hy_error err;
  hy_status got = parse(text, NULL, &d, &err);
  if (got != status || err.line != line || err.column != column)
    fail_msg("%s: %s %d:%d %s", text, hy_status_name(got), err.line, err.column, err.message);
  assert_string_equal(err.subject, "x.json");
  assert_null(d.root);
}

static void places(void **state) {
  (void)state;
  refused("", HY_BAD_FORMAT, 1, 1);
  refused("{\n  \"a\": 1,\n  \"a\": 2}", HY_BAD_FORMAT, 3, 3);
  refused("[1, 2,]", HY_BAD_FORMAT, 1, 7);
  refused("[1 2]", HY_BAD_FORMAT, 1, 4);
  refused("[1, 2", HY_BAD_FORMAT, 1, 6);
  refused("[\"a\" 2]", HY_BAD_FORMAT, 1, 6);
  refused("{\"a\" 1}", HY_BAD_FORMAT, 1, 6);
  refused("{a: 1}", HY_BAD_FORMAT, 1, 2);
  refused("{\"a\": 1,}", HY_BAD_FORMAT, 1, 9);
  refused("{\"a\": 1", HY_BAD_FORMAT, 1, 8);
  refused("[1]\n[2]", HY_BAD_FORMAT, 2, 1);
  refused("nul", HY_BAD_FORMAT, 1, 1);
  refused("[\n\n  tru]", HY_BAD_FORMAT, 3, 3);
}

static void numbers_and_texts_are_strict(void **state) {
  (void)state;
  static const char *const bad[] = {"01",
                                    "+1",
                                    ".5",
                                    "5.",
                                    "1e",
                                    "1e+",
                                    "-",
                                    "--1",
                                    "1.e5",
                                    "0x1",
                                    "NaN",
                                    "Infinity",
                                    "-Infinity",
                                    "1e999",
                                    "[1e999]",
                                    "[01]",
                                    "[.5]",
                                    "[1,,2]",
                                    "[,]",
                                    "[1,]",
                                    "'a'",
                                    "\"a",
                                    "\"\\x\"",
                                    "\"\\u12\"",
                                    "\"\\u12g4\"",
                                    "\"\\ud800\"",
                                    "\"\\ud800\\u0041\"",
                                    "\"\\udc00\"",
                                    "\"\\u0000\"",
                                    "\"\t\"",
                                    "\"\xC0\xAF\"",
                                    "\"\xED\xA0\x80\"",
                                    "\"\xFF\"",
                                    "\"\\",
                                    "\"\\u",
                                    "[",
                                    "{",
                                    "]",
                                    "}",
                                    ",",
                                    "{\"a\":}"};
  hy__json_document d;
  hy_error err;
  for (size_t i = 0; i < HY_COUNT(bad); i++)
    if (parse(bad[i], NULL, &d, &err) != HY_BAD_FORMAT) fail_msg("%s was read", bad[i]);
  hy__json_limits limits = {.allow_nonfinite = true};
  assert_int_equal(parse("[NaN, -Infinity, Infinity, 1]", &limits, &d, &err), HY_OK);
  assert_int_equal(d.root->n_children, 4);
  assert_true(d.root->first->number != d.root->first->number);
  /* A zero byte in the middle ends nothing. */
  d = (hy__json_document){.text = "[1]\0", .bytes = 4, .subject = "x.json"};
  assert_int_equal(hy__json_parse(&d, NULL, arena, &err), HY_BAD_FORMAT);
  d = (hy__json_document){.text = "\"a\0b\"", .bytes = 5, .subject = "x.json"};
  assert_int_equal(hy__json_parse(&d, NULL, arena, &err), HY_BAD_FORMAT);
}

static void limits_hold(void **state) {
  (void)state;
  hy__json_document d;
  hy_error err;
  hy__json_limits limits = {.max_depth = 3};
  assert_int_equal(parse("[[[\"a\"]]]", &limits, &d, &err), HY_OK);
  assert_int_equal(parse("[[[[]]]]", &limits, &d, &err), HY_LIMIT);
  limits = (hy__json_limits){.max_members = 2};
  assert_int_equal(parse("{\"a\":1,\"b\":2}", &limits, &d, &err), HY_OK);
  assert_int_equal(parse("{\"a\":1,\"b\":2,\"c\":3}", &limits, &d, &err), HY_LIMIT);
  limits = (hy__json_limits){.max_nodes = 3};
  assert_int_equal(parse("[\"a\",\"b\"]", &limits, &d, &err), HY_OK);
  assert_int_equal(parse("[\"a\",\"b\",\"c\"]", &limits, &d, &err), HY_LIMIT);
  assert_int_equal(parse("[1,2,3,4,5,6,7,8,9]", &limits, &d, &err), HY_OK);
  limits = (hy__json_limits){.max_bytes = 3};
  assert_int_equal(parse("[1]", &limits, &d, &err), HY_OK);
  assert_int_equal(parse("[1] ", &limits, &d, &err), HY_LIMIT);
  char deep[5000];
  memset(deep, '[', sizeof deep - 1);
  deep[sizeof deep - 1] = 0;
  limits = (hy__json_limits){.max_depth = SIZE_MAX};
  assert_int_equal(parse(deep, &limits, &d, &err), HY_LIMIT);
}

static void wanted_members(void **state) {
  (void)state;
  hy__json_document d;
  hy_error err;
  const hy__json *node;
  int64_t n;
  assert_int_equal(parse("{\"n\": 5,\n \"t\": \"x\", \"h\": 1.5}", NULL, &d, &err), HY_OK);
  assert_int_equal(hy__json_need(&d, d.root, "n", HY__JSON_NUMBER, &node, &err), HY_OK);
  assert_int_equal(hy__json_integer(&d, node, 0, 5, &n, &err), HY_OK);
  assert_int_equal(n, 5);
  assert_int_equal(hy__json_integer(&d, node, 6, 9, &n, &err), HY_BAD_FORMAT);
  assert_int_equal(hy__json_need(&d, d.root, "h", HY__JSON_NUMBER, &node, &err), HY_OK);
  assert_int_equal(hy__json_integer(&d, node, 0, 9, &n, &err), HY_BAD_FORMAT);
  assert_int_equal(hy__json_need(&d, d.root, "t", HY__JSON_NUMBER, &node, &err), HY_BAD_FORMAT);
  assert_string_equal(err.message, "'t' is a text, a number is expected");
  assert_int_equal(err.line, 2);
  assert_int_equal(err.column, 7);
  assert_int_equal(hy__json_need(&d, node, "x", HY__JSON_NUMBER, &node, &err), HY_BAD_FORMAT);
  assert_int_equal(hy__json_need(&d, d.root, "none", HY__JSON_TEXT, &node, &err), HY_BAD_FORMAT);
  assert_string_equal(err.message, "the object lacks 'none'");
}

static void what_is_written_is_read(void **state) {
  (void)state;
  hy__buffer b;
  hy__json_writer w;
  hy__json_document d;
  hy_error err;
  const double x[] = {0.1, 5e-324, -1.7976931348623157e308, 1e22, 123456789};
  hy__buffer_init(&b, &hy__allocator_libc, 100000);
  hy__json_begin(&w, hy__buffer_sink(&b), 2);
  hy__json_array_begin(&w);
  for (size_t i = 0; i < HY_COUNT(x); i++) hy__json_f64(&w, x[i]);
  hy__json_array_end(&w);
  assert_int_equal(hy__json_end(&w, NULL), HY_OK);
  assert_int_equal(parse(b.data, NULL, &d, &err), HY_OK);
  assert_memory_equal(d.root->numbers, x, sizeof x);
  hy__buffer_destroy(&b);
}

static void refused_allocations_are_told(void **state) {
  (void)state;
  failing_allocator fa;
  failing_allocator_init(&fa);
  for (size_t k = 1;; k++) {
    hy__arena *small = NULL;
    hy__json_document d = {.text = "{\"a\":[1,2],\"b\":[\"x\",{}]}", .bytes = 24, .subject = "x"};
    failing_allocator_arm(&fa, k);
    hy_status status = hy__arena_create(&fa.allocator, 32, 0, &small, NULL);
    if (status == HY_OK) status = hy__json_parse(&d, NULL, small, NULL);
    hy__arena_destroy(small);
    assert_int_equal(fa.live_bytes, 0);
    if (status == HY_OK) break;
    assert_int_equal(status, HY_OUT_OF_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values),
      cmocka_unit_test(places),
      cmocka_unit_test(numbers_and_texts_are_strict),
      cmocka_unit_test(limits_hold),
      cmocka_unit_test(wanted_members),
      cmocka_unit_test(what_is_written_is_read),
      cmocka_unit_test(refused_allocations_are_told),
  };
  return cmocka_run_group_tests(tests, make_arena, free_arena);
}
