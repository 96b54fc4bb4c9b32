/* SPDX-License-Identifier: Apache-2.0
 * Numbers as text: exact against the C library (in its "C" locale) over random bits, hard cases
 * from the literature, round trips, overflow, and text that is no number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"

static void same_bits(const char *text, double got, double want) {
  if (memcmp(&got, &want, sizeof got) != 0) fail_msg("%.60s: %a, expected %a", text, got, want);
}

/* The oracle is the C library, which the tests run in the "C" locale. */
static void check_parse(const char *text) {
  double got = -1;
  const char *end = text + strlen(text);
  assert_ptr_equal(hy__parse_f64(text, end, &got), end);
  same_bits(text, got, strtod(text, NULL));
}

static void hard_cases(void **state) {
  (void)state;
  static const char *const texts[] = {
      "0",
      "-0",
      "+1.5",
      ".5",
      "5.",
      "1e22",
      "1e23",
      "-1e-22",
      "123456789012345678901234567890",
      "9007199254740993",
      "9007199254740992.5",
      "9007199254740993.0000000000000000000000001",
      "2.2250738585072011e-308",
      "2.2250738585072012e-308",
      "2.2250738585072014e-308",
      "4.9406564584124654e-324",
      "2.4703282292062327e-324",
      "2.4703282292062328e-324",
      "2.47032822920623272088284396434110686182e-324",
      "1.7976931348623157e308",
      "1.7976931348623158e308",
      "1.7976931348623159e308",
      "1e309",
      "1e-400",
      "1e400",
      "-1e999999999",
      "0.000000000000000000000000000000000000000000000000000000000000000000001",
      "8.5e-323",
      "6929495644600919.5",
      "3.4028234664e38",
      "1448997445238699",
      "104.83999633789062",
      "0e99999",
      "1e-99999999999999999999",
      "7.8459735791271921e65",
      "3.571e266",
      "3.08984926168550152811e-32",
      "00000000000000000000000000000000000000000000000001.25",
      "1.00000000000000011102230246251565404",
      "1.00000000000000011102230246251565403",
      "1.00000000000000011102230246251565405",
      "2."
      "22507385850720113605740979670913197593481954635164564802342610972482222202107694551652952390"
      "8135"
      "08791414915891303962110687008643869459464552765720740782062174337998814106326732925355228688"
      "13721490"
      "12981122451451889849057222307285255133155755015914397476397983411801999323962548289017107081"
      "850690630"
      "66665599493827577257201576306269066333264756530000924588831643303777979186961204949739037782"
      "970490505"
      "10806099407302629371289589500035837999672072543043602840788957717961509455167482434710307026"
      "091446215"
      "72289880258182545180325707018860872113128079512233426288368622321503775666622503982534335974"
      "568884423"
      "90026549819838548794829220689472168983109969836584681402285424333066033985088644580400103493"
      "397042756"
      "71864433837704860378616227717385456230658746790140867233276367187512345678901234567890123456"
      "78901e-308"};
  for (size_t i = 0; i < HY_COUNT(texts); i++) check_parse(texts[i]);
}

static double random_bits(hy__random *r) {
  uint64_t bits = hy__random_u64(r);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static int significant_digits(const char *text) {
  int n = 0, zeros = 0;
  for (; *text && *text != 'e'; text++) {
    if (*text == '0' && n > 0) zeros++;
    if (*text < '1' || *text > '9') continue;
    n += zeros + 1;
    zeros = 0;
  }
  return n;
}

/* The nearest decimal of fewer digits never reads back, and of as many digits it is ours. (It may
 * not read back where ours does: below a power of two the doubles lie closer than above.) */
static void check_shortest(double value, const char *text) {
  char other[64];
  int n = significant_digits(text);
  assert_in_range(n, 1, 17);
  for (int digits = 1; digits <= n; digits++) {
    snprintf(other, sizeof other, "%.*e", digits - 1, value);
    if (strtod(other, NULL) != value) continue;
    assert_int_equal(digits, n);
    assert_true(strtold(text, NULL) == strtold(other, NULL));
  }
}

static void random_values(void **state) {
  (void)state;
  hy__random r;
  hy__random_init(&r, 1, 0);
  for (int i = 0; i < 100000; i++) {
    char text[64];
    double value = random_bits(&r);
    if (i % 3 == 0) value = (double)(int64_t)(hy__random_u64(&r) >> 38) / (i % 2 ? 100 : 10000);
    if (value - value != 0) continue;
    snprintf(text, sizeof text, "%.*e", i % 25, value);
    check_parse(text);
    size_t n = hy__format_f64(value, text);
    assert_int_equal(n, strlen(text));
    assert_true(n < HY_NUMBER_TEXT);
    same_bits(text, strtod(text, NULL), value);
    check_parse(text);
    if (value != 0) check_shortest(value, text);
  }
}

static void powers_of_two(void **state) {
  (void)state;
  for (int e = -1074; e < 1024; e++) {
    char text[HY_NUMBER_TEXT];
    hy__format_f64(ldexp(1, e), text);
    same_bits(text, strtod(text, NULL), ldexp(1, e));
    check_shortest(ldexp(1, e), text);
  }
}

/* Decimals exactly half way between two doubles, and a hair to either side. */
static void halfway_values(void **state) {
  (void)state;
  hy__random r;
  hy__random_init(&r, 2, 0);
  for (int i = 0; i < 2000; i++) {
    char text[1200];
    double value = fabs(random_bits(&r)), next = nextafter(value, INFINITY);
    if (next - next != 0 || value - value != 0) continue;
    long double middle = ((long double)value + (long double)next) / 2; /* 64 bits hold it */
    int n = snprintf(text, sizeof text - 2, "%.*Le", i % 2 ? 770 : 1100, middle);
    check_parse(text);
    char *e = strchr(text, 'e');
    memmove(e + 1, e, (size_t)(n - (e - text)) + 1);
    *e = '1';
    check_parse(text);
  }
}

static void shortest_as_python_writes(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text; /* Python 3.11 repr, without its ".0" */
  } rows[] = {{0, "0"},
              {-0.0, "-0"},
              {1, "1"},
              {-1.5, "-1.5"},
              {0.1, "0.1"},
              {1e15, "1000000000000000"},
              {1e16, "1e+16"},
              {123456789012345680.0, "1.2345678901234568e+17"},
              {1e-4, "0.0001"},
              {1e-5, "1e-05"},
              {0.001234, "0.001234"},
              {1e300, "1e+300"},
              {1.7976931348623157e308, "1.7976931348623157e+308"},
              {5e-324, "5e-324"},
              {2.2250738585072014e-308, "2.2250738585072014e-308"},
              {9007199254740993.0, "9007199254740992"},
              {1e22, "1e+22"},
              {1e23, "1e+23"},
              {9.5367431640625e-07, "9.5367431640625e-07"},
              {4503599627370495.5, "4503599627370495.5"},
              {INFINITY, "inf"},
              {-INFINITY, "-inf"},
              {NAN, "nan"}};
  char text[HY_NUMBER_TEXT];
  for (size_t i = 0; i < HY_COUNT(rows); i++) {
    hy__format_f64(rows[i].value, text);
    assert_string_equal(text, rows[i].text);
  }
  hy__format_f32(0.1f, text);
  assert_string_equal(text, "0.1");
  hy__format_f32(16777216.0f, text);
  assert_string_equal(text, "16777216");
  hy__format_f32(1.17549435e-38f, text);
  assert_string_equal(text, "1.1754944e-38");
  hy__format_f32(1e-45f, text);
  assert_string_equal(text, "1e-45");
  hy__format_f32(-INFINITY, text);
  assert_string_equal(text, "-inf");
}

static void every_float_pattern_reads_back(void **state) {
  (void)state;
  for (uint32_t i = 0; i < 0x7f800000u; i += 9973) {
    float value;
    char text[HY_NUMBER_TEXT];
    memcpy(&value, &i, sizeof value);
    hy__format_f32(value, text);
    assert_true(strtof(text, NULL) == value);
    char *e = strchr(text, 'e');
    assert_true((e ? (size_t)(e - text) : strlen(text)) <= 17);
  }
}

static void words_and_refusals(void **state) {
  (void)state;
  double x = 7;
  const char *text = "nan,inf";
  assert_ptr_equal(hy__parse_f64(text, text + 7, &x), text + 3);
  assert_true(x != x);
  assert_true(hy__text_f64("-Infinity", &x) && x == -INFINITY);
  assert_true(hy__text_f64("INF", &x) && x == INFINITY);
  static const char *const bad[] = {"",    "-",    "+",  ".",  "-.", "e5",   "1e",  "1e+",   "0x10",
                                    "1,5", "infi", "na", " 1", "1 ", "1..2", "--1", "1e5.0", "in"};
  for (size_t i = 0; i < HY_COUNT(bad); i++) {
    x = 7;
    if (hy__text_f64(bad[i], &x)) fail_msg("'%s' was read as %g", bad[i], x);
  }
  text = "1e";
  assert_ptr_equal(hy__parse_f64(text, text + 2, &x), text + 1);
  /* The end is the end, whatever stands behind it. */
  text = "12345678901234567890";
  assert_ptr_equal(hy__parse_f64(text, text + 3, &x), text + 3);
  assert_true(x == 123);
  assert_ptr_equal(hy__parse_f64(text, text, &x), text);
}

static void integers(void **state) {
  (void)state;
  int64_t i = 7;
  assert_true(hy__text_i64("9223372036854775807", &i) && i == INT64_MAX);
  assert_true(hy__text_i64("-9223372036854775808", &i) && i == INT64_MIN);
  assert_true(hy__text_i64("+12", &i) && i == 12);
  assert_true(hy__text_i64("-000", &i) && i == 0);
  static const char *const bad[] = {"9223372036854775808",
                                    "-9223372036854775809",
                                    "",
                                    "-",
                                    "1.",
                                    "1e3",
                                    "99999999999999999999999",
                                    " 1"};
  for (size_t k = 0; k < HY_COUNT(bad); k++) assert_false(hy__text_i64(bad[k], &i));
  char text[HY_NUMBER_TEXT];
  assert_int_equal(hy__format_i64(INT64_MIN, text), 20);
  assert_string_equal(text, "-9223372036854775808");
  hy__format_i64(0, text);
  assert_string_equal(text, "0");
}

static void for_people(void **state) {
  (void)state;
  char text[HY_NUMBER_TEXT];
  static const struct {
    size_t (*format)(double, char *);
    double value;
    const char *text;
  } rows[] = {{hy__format_count, 0, "0"},
              {hy__format_count, 999, "999"},
              {hy__format_count, 12345, "12.3 k"},
              {hy__format_count, 999999, "1 M"},
              {hy__format_count, -1234567, "-1.2 M"},
              {hy__format_count, 1.5, "1.5"},
              {hy__format_bytes, 512, "512 B"},
              {hy__format_bytes, 4.5e6, "4.5 MB"},
              {hy__format_bytes, 123456789, "123 MB"},
              {hy__format_duration, 1.2e6, "1.2 ms"},
              {hy__format_duration, 90e9, "1.5 min"},
              {hy__format_duration, 12, "12 ns"},
              {hy__format_count, NAN, "nan"},
              {hy__format_count, INFINITY, "inf"},
              {hy__format_count, 1e300, "1e+300"}};
  for (size_t i = 0; i < HY_COUNT(rows); i++) {
    size_t n = rows[i].format(rows[i].value, text);
    assert_string_equal(text, rows[i].text);
    assert_int_equal(n, strlen(text));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hard_cases),
      cmocka_unit_test(random_values),
      cmocka_unit_test(powers_of_two),
      cmocka_unit_test(halfway_values),
      cmocka_unit_test(shortest_as_python_writes),
      cmocka_unit_test(every_float_pattern_reads_back),
      cmocka_unit_test(words_and_refusals),
      cmocka_unit_test(integers),
      cmocka_unit_test(for_people),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
