/* SPDX-License-Identifier: Apache-2.0
 * Delimited text: rows, quotes, limits, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/csv.h"

enum { FIELDS = 64 };
static hy__csv_field fields[FIELDS];

static hy__csv begin(const char *text, size_t bytes, char delimiter) {
  hy__csv c = {.fields = fields, .max_fields = FIELDS};
  hy__csv_init(&c, text, bytes, delimiter);
  return c;
}

/* All rows as "line:field|field/..." */
static void render(const char *text, size_t bytes, char delimiter, char *out, size_t room) {
  hy__csv c = begin(text, bytes, delimiter);
  size_t n = 0;
  out[0] = '\0';
  for (;;) {
    assert_int_equal(hy__csv_next(&c, NULL), HY_OK);
    if (c.n_fields == 0) break;
    n += (size_t)snprintf(out + n, room - n, "%d:", (int)c.line);
    for (size_t k = 0; k < c.n_fields; k++)
      n += (size_t)snprintf(out + n, room - n, "%.*s%s", (int)c.fields[k].len_bytes,
                            c.fields[k].text, k + 1 < c.n_fields ? "|" : "/");
  }
}

static void rows_are_cut(void **state) {
  (void)state;
  static const struct {
    const char *text, *rows;
    char delimiter;
  } cases[] = {
      {"a,b\n1,2\n", "1:a|b/2:1|2/", ','},
      {"a,b\r\n1,2", "1:a|b/2:1|2/", ','},
      {"\xef\xbb\xbf"
       "a;b\n\n\r\n1;\n",
       "1:a|b/4:1|/", ';'},
      {"", "", ','},
      {"\n\n", "", ','},
      {"x", "1:x/", ','},
      {",\n", "1:|/", ','},
      {"\"a,b\",\"c\"\"d\"\n1,\"x\ny\"\n2,3\n", "1:a,b|c\"\"d/2:1|x\ny/4:2|3/", ','},
      {"a\"b,c\n\"q\"z,w\n", "1:a\"b|c/2:q|w/", ','},
      {"\"\"\n1\n", "2:1/", ','},
      {"a\tb\n", "1:a|b/", '\t'},
  };
  char out[512];
  for (size_t k = 0; k < HY_COUNT(cases); k++) {
    render(cases[k].text, strlen(cases[k].text), cases[k].delimiter, out, sizeof out);
    assert_string_equal(out, cases[k].rows);
  }
}

/* Separators at every place of a block, texts that end at every place: nothing is read past the end
 * (the text stands at the end of its allocation, which the address sanitizer watches). */
static void blocks_meet_anywhere(void **state) {
  (void)state;
  for (size_t pad = 0; pad < 140; pad++) {
    const size_t bytes = pad + 8;
    char *text = malloc(bytes);
    memset(text, 'x', bytes);
    memcpy(text + pad, ",12\n3,45", 8);
    hy__csv c = begin(text, bytes, ',');
    assert_int_equal(hy__csv_next(&c, NULL), HY_OK);
    assert_int_equal(c.n_fields, 2);
    assert_int_equal(c.fields[0].len_bytes, pad);
    assert_int_equal(c.fields[1].column, pad + 2);
    assert_int_equal(hy__csv_next(&c, NULL), HY_OK);
    assert_int_equal(c.n_fields, 2);
    assert_int_equal(c.line, 2);
    double value;
    assert_true(hy__csv_f64(c.fields[1].text, c.fields[1].len_bytes, c.end, &value));
    assert_true(value == 45);
    assert_int_equal(hy__csv_next(&c, NULL), HY_OK);
    assert_int_equal(c.n_fields, 0);
    free(text);
  }
}

static void limits_hold(void **state) {
  (void)state;
  hy_error err;
  const size_t bytes = HY_CSV_ROW_BYTES_MAX + 200;
  char *text = malloc(bytes);
  memset(text, 'x', bytes);
  hy__csv c = begin(text, HY_CSV_ROW_BYTES_MAX, ',');
  assert_int_equal(hy__csv_next(&c, NULL), HY_OK);
  assert_int_equal(c.fields[0].len_bytes, HY_CSV_ROW_BYTES_MAX);
  c = begin(text, bytes, ',');
  assert_int_equal(hy__csv_next(&c, &err), HY_LIMIT);
  assert_int_equal(err.line, 1);
  text[0] = '"';
  c = begin(text, bytes, ',');
  assert_int_not_equal(hy__csv_next(&c, &err), HY_OK);
  memset(text, ',', 100);
  text[63] = '\n';
  c = begin(text, 100, ',');
  assert_int_equal(hy__csv_next(&c, NULL), HY_OK);
  assert_int_equal(c.n_fields, 64);
  text[63] = ',';
  c = begin(text, 100, ',');
  assert_int_equal(hy__csv_next(&c, &err), HY_LIMIT);
  c = begin("a,b\n1,\"x\n", 9, ',');
  assert_int_equal(hy__csv_next(&c, NULL), HY_OK);
  assert_int_equal(hy__csv_next(&c, &err), HY_BAD_FORMAT);
  assert_int_equal(err.line, 2);
  assert_int_equal(err.column, 3);
  free(text);
}

static void check_number(const char *text, bool is_number, double expect) {
  double value = -1;
  const size_t n = strlen(text);
  char *copy = malloc(n + 1); /* the short way and the one at the end of memory */
  memcpy(copy, text, n);
  assert_int_equal(hy__csv_f64(copy, n, copy + n, &value), is_number);
  if (is_number && value != expect) fail_msg("%s gave %.17g", text, value);
  char wide[64] = {0};
  memcpy(wide, text, n);
  assert_int_equal(hy__csv_f64(wide, n, wide + 64, &value), is_number);
  if (is_number && value != expect) fail_msg("%s gave %.17g", text, value);
  free(copy);
}

static void numbers_are_exact(void **state) {
  (void)state;
  check_number("0", true, 0);
  check_number("7", true, 7);
  check_number("12345678", true, 12345678);
  check_number("0.1", true, 0.1);
  check_number("123.45", true, 123.45);
  check_number(".5", true, .5);
  check_number("5.", true, 5);
  check_number("1.234567", true, 1.234567);
  check_number("1234567.", true, 1234567);
  check_number("-1.5", true, -1.5);
  check_number("+2", true, 2);
  check_number("1e3", true, 1000);
  check_number("123456789.125", true, 123456789.125);
  check_number("0.30000000000000004", true, 0.30000000000000004);
  check_number("", false, 0);
  check_number(".", false, 0);
  check_number("1.2.3", false, 0);
  check_number("12a", false, 0);
  check_number("1 2", false, 0);
  check_number("12/3", false, 0);
  check_number("12:3", false, 0);
  check_number("abcdefgh", false, 0);
  check_number("..", false, 0);
  for (int k = 0; k < 100000; k += 7) { /* against the long way */
    char text[32];
    double value;
    (void)snprintf(text, sizeof text, "%d.%0*d", k / 100, 1 + k % 4, k % 10);
    assert_true(hy__parse_f64(text, text + strlen(text), &value) == text + strlen(text));
    check_number(text, true, value);
  }
}

static void other_marks_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double value;
    char decimal;
  } cases[] = {{"1,5", 1.5, ','},        {"1.234,5", 1234.5, ','}, {"1,234,567", 1234567, '.'},
               {"1,234.5", 1234.5, '.'}, {"1 234,5", 1234.5, ','}, {"-1,5", -1.5, ','},
               {" 12 ", 12, '.'},        {"1'000", 1000, '.'}};
  double value;
  for (size_t k = 0; k < HY_COUNT(cases); k++) {
    assert_true(
        hy__csv_f64_grouped(cases[k].text, strlen(cases[k].text), cases[k].decimal, &value));
    assert_true(value == cases[k].value);
  }
  static const char *const bad[] = {"",      "a",    "1,,2",   ",",   "1,2a",
                                    "- 5 x", "12,5", "1,2345", ",123"};
  for (size_t k = 0; k < HY_COUNT(bad); k++)
    assert_false(hy__csv_f64_grouped(bad[k], strlen(bad[k]), '.', &value));
  assert_true(hy__csv_is_missing("", 0) && hy__csv_is_missing("NULL", 4) &&
              hy__csv_is_missing("N/A", 3) && hy__csv_is_missing("NaN", 3));
  assert_false(hy__csv_is_missing("0", 1) || hy__csv_is_missing("nullnullnull", 12));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_cut),         cmocka_unit_test(blocks_meet_anywhere),
      cmocka_unit_test(limits_hold),          cmocka_unit_test(numbers_are_exact),
      cmocka_unit_test(other_marks_are_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
