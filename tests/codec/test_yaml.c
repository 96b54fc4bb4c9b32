/* SPDX-License-Identifier: Apache-2.0
 * The YAML tree: shapes, places, typed reads, refusals, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/codec.h"

static hy__arena *arena;

static int make_arena(void **state) {
  (void)state;
  return hy__arena_create(&hy__allocator_libc, 0, 0, &arena, NULL) != HY_OK;
}

static int drop_arena(void **state) {
  (void)state;
  hy__arena_destroy(arena);
  return 0;
}

static const hy__yaml *parse(const char *text) {
  const hy__yaml *root = NULL;
  hy_error err = {0};
  hy_status status = hy__yaml_parse(text, strlen(text), "t.yaml", arena, &root, &err);
  if (status != HY_OK) fail_msg("%s", err.message);
  return root;
}

static void refuse(const char *text, const char *message, int line, int column) {
  const hy__yaml *root;
  hy_error err = {0};
  assert_int_not_equal(hy__yaml_parse(text, strlen(text), "t.yaml", arena, &root, &err), HY_OK);
  if (!strstr(err.message, message)) fail_msg("\"%s\" for %s", err.message, text);
  assert_string_equal(err.subject, "t.yaml");
  assert_int_equal(err.line, line);
  assert_int_equal(err.column, column);
}

static void reads_shapes_and_places(void **state) {
  (void)state;
  const hy__yaml *root = parse("a: 1\nb:\n  - x\n  - {c: \"2\", d: [3, 4]}\nempty:\n");
  assert_int_equal(root->kind, HY__YAML_MAP);
  assert_int_equal(root->n_children, 3);
  const hy__yaml *b = hy__yaml_get(root, "b");
  assert_int_equal(b->kind, HY__YAML_LIST);
  assert_int_equal(b->n_children, 2);
  assert_int_equal(b->key_line, 2);
  const hy__yaml *c = hy__yaml_get(&b->children[1], "c");
  assert_true(c->quoted);
  assert_int_equal(c->line, 4);
  assert_int_equal(c->column, 9);
  assert_string_equal(c->text, "2");
  assert_null(hy__yaml_get(root, "z"));
}

/* A block's place is that of its text, whatever comes before it and however it is indented. */
static void knows_where_a_block_begins(void **state) {
  (void)state;
  const hy__yaml *root = parse("a: |\n  x\n  y\r\nb: # \xe2\x80\x9c\n  - >-  # note\n\n\n      x\n"
                               "  - |2\n      x\n    y\nc: 'q'\nd: |\n");
  const hy__yaml *a = hy__yaml_get(root, "a"), *b = hy__yaml_get(root, "b");
  assert_true(a->block && a->quoted && a->line == 2 && a->column == 3 && a->margin == 2);
  assert_string_equal(a->text, "x\ny\n");
  const hy__yaml *folded = &b->children[0], *indented = &b->children[1];
  assert_true(folded->block && folded->line == 6 && folded->column == 7 && folded->margin == 6);
  assert_string_equal(indented->text, "  x\ny\n");
  assert_true(indented->line == 10 && indented->column == 5 && indented->margin == 4);
  const hy__yaml *c = hy__yaml_get(root, "c"), *d = hy__yaml_get(root, "d");
  assert_true(!c->block && c->line == 12 && c->column == 4 && c->margin == 0);
  assert_true(d->block && d->line == 14);
  assert_true(parse("|\n x")->margin == 1);
}

static void reads_types(void **state) {
  (void)state;
  const hy__yaml *root = parse("i: -7\nf: 1e-3\ny: true\nq: '7'\nn:\nl: [1]\n");
  const char *text;
  int64_t i;
  double f;
  bool y;
  hy_error err;
  assert_int_equal(hy__yaml_i64(hy__yaml_get(root, "i"), &i, NULL), HY_OK);
  assert_int_equal(i, -7);
  assert_int_equal(hy__yaml_f64(hy__yaml_get(root, "f"), &f, NULL), HY_OK);
  assert_true(f == 1e-3);
  assert_int_equal(hy__yaml_bool(hy__yaml_get(root, "y"), &y, NULL), HY_OK);
  assert_true(y);
  assert_int_equal(hy__yaml_i64(hy__yaml_get(root, "q"), &i, &err), HY_BAD_FORMAT);
  assert_string_equal(err.message, "q: a whole number was expected, not 7");
  assert_int_equal(hy__yaml_text(hy__yaml_get(root, "n"), &text, &err), HY_BAD_FORMAT);
  assert_int_equal(hy__yaml_text(hy__yaml_get(root, "l"), &text, &err), HY_BAD_FORMAT);
  assert_string_equal(err.message, "l: text was expected, not a list");
  assert_int_equal(err.line, 6);
  assert_string_equal(err.subject, "t.yaml");
}

static void refuses_what_it_does_not_read(void **state) {
  (void)state;
  refuse("a: &x 1\n", "anchors", 1, 4);
  refuse("a: *x\n", "aliases", 1, 4);
  refuse("a: !!str 1\n", "tags", 1, 4);
  refuse("&k a: 1\n", "anchors", 1, 1);
  refuse("a: 1\n---\nb: 2\n", "second one", 2, 1);
  refuse("a: 1\nb: 2\na: 3\n", "stands twice, first in line 1", 3, 1);
  refuse("", "empty", 1, 1);
  refuse("a: [1, 2\n", "not YAML", 2, 1);
  refuse("[a]: 1\n", "a key must be plain text", 1, 1);
  refuse("a: \"x\\0y\"\n", "zero byte", 1, 4);
}

/* As a reader of files hands it over: no bytes, and none where they would be. */
static void refuses_an_empty_file(void **state) {
  (void)state;
  const hy__yaml *root;
  hy_error err = {0};
  assert_int_not_equal(hy__yaml_parse(NULL, 0, "t.yaml", arena, &root, &err), HY_OK);
  assert_non_null(strstr(err.message, "empty"));
  assert_int_equal(err.line, 1);
}

static void reads_behind_a_byte_order_mark(void **state) {
  (void)state;
  assert_non_null(hy__yaml_get(parse("\xef\xbb\xbf"
                                     "a: 1\nb: 2\n"),
                               "a"));
}

static void bounds_depth(void **state) {
  (void)state;
  char text[256];
  for (size_t depth = 48; depth <= 49; depth++) {
    memset(text, '[', depth - 1);
    text[depth - 1] = '1';
    memset(text + depth, ']', depth - 1);
    text[2 * depth - 1] = 0;
    const hy__yaml *root;
    hy_error err;
    hy_status status = hy__yaml_parse(text, strlen(text), "t.yaml", arena, &root, &err);
    assert_int_equal(status, depth == 48 ? HY_OK : HY_BAD_FORMAT);
  }
}

static void suggests_keys(void **state) {
  (void)state;
  static const char *const keys[] = {"features", "norm", "output", NULL};
  hy_error err;
  const hy__yaml *root = parse("norm: 1\nfeatuers:\n  - x\n");
  assert_int_equal(hy__yaml_only_keys(root, keys, &err), HY_BAD_FORMAT);
  assert_string_equal(err.message, "unknown key \"featuers\"; did you mean features?");
  assert_int_equal(err.line, 2);
  assert_int_equal(err.column, 1);
  assert_int_equal(hy__yaml_only_keys(parse("norm: 1\noutput: 2\n"), keys, &err), HY_OK);
}

static void finds_the_nearest(void **state) {
  (void)state;
  assert_int_equal(hy__edit_distance("close", "close"), 0);
  assert_int_equal(hy__edit_distance("clsoe", "close"), 1);
  assert_int_equal(hy__edit_distance("", "abc"), 3);
  assert_int_equal(hy__edit_distance("kitten", "sitting"), 3);
  char text[80];
  hy__nearest near;
  hy__nearest_init(&near, "rsi.mod");
  hy__nearest_offer(&near, "sma");
  hy__nearest_offer(&near, "rsi.cutler");
  hy__nearest_offer(&near, "rsi.mid");
  hy__nearest_text(&near, text, sizeof text);
  assert_string_equal(text, "; did you mean rsi.mid?");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reads_shapes_and_places),
                                     cmocka_unit_test(knows_where_a_block_begins),
                                     cmocka_unit_test(reads_types),
                                     cmocka_unit_test(refuses_what_it_does_not_read),
                                     cmocka_unit_test(refuses_an_empty_file),
                                     cmocka_unit_test(reads_behind_a_byte_order_mark),
                                     cmocka_unit_test(bounds_depth),
                                     cmocka_unit_test(suggests_keys),
                                     cmocka_unit_test(finds_the_nearest)};
  return cmocka_run_group_tests(tests, make_arena, drop_arena);
}
