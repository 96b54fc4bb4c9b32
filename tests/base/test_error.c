/* SPDX-License-Identifier: Apache-2.0
 * The status table and hy_error: texts, places, cuts, and that the innermost place stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hayate/version.h>

#include "base/base.h"

static void table(void **state) {
  (void)state;
  assert_int_equal(sizeof(hy_error), 512);
  assert_string_equal(hy_status_name(HY_BAD_FORMAT), "BAD_FORMAT");
  assert_string_equal(hy_status_class(HY_NEED_MORE_DATA), "more");
  assert_string_equal(hy_status_text(HY_OK), "done");
  assert_int_equal(hy_status_exit(HY_CANCELLED), 130);
  assert_int_equal(hy_status_http(HY_NOT_FOUND), 404);
  assert_int_equal(hy_status_grpc(HY_UNSUPPORTED), 12);
  assert_string_equal(hy_status_name((hy_status)9999), "UNKNOWN");
  assert_string_equal(hy_version(), HY_VERSION);
}

static const char *formatted(const hy_error *err) {
  static char text[1024];
  size_t n = hy_error_format(err, text, sizeof text);
  assert_int_equal(n, strlen(text));
  return text;
}

static void places(void **state) {
  (void)state;
  hy_error err;
  assert_int_equal(hy__error_set(&err, HY_BAD_FORMAT, "a number is expected, not '%s'", "x"),
                   HY_BAD_FORMAT);
  assert_string_equal(formatted(&err), "a number is expected, not 'x'");
  hy__error_place(&err, 3, 14, -1);
  assert_string_equal(formatted(&err), "line 3, column 14: a number is expected, not 'x'");
  hy__error_subject(&err, "bars.csv");
  assert_string_equal(formatted(&err), "bars.csv:3:14: a number is expected, not 'x'");
  hy__error_place(&err, 99, 99, 7); /* the innermost place stays, the missing part is added */
  hy__error_subject(&err, "other.csv");
  assert_string_equal(formatted(&err), "bars.csv:3:14: a number is expected, not 'x'");
  assert_int_equal(err.offset_bytes, 7);
  hy__error_prefix(&err, "symbol %s", "AAPL");
  assert_string_equal(formatted(&err), "bars.csv:3:14: symbol AAPL: a number is expected, not 'x'");
  hy__error_set(&err, HY_IO, "cannot be read");
  hy__error_subject(&err, "u.h5");
  hy__error_place(&err, 0, 0, 1024);
  assert_string_equal(formatted(&err), "u.h5: cannot be read (at byte 1024)");
  hy_error_clear(&err);
  assert_string_equal(formatted(&err), "done");
}

static void cuts(void **state) {
  (void)state;
  hy_error err;
  char text[600], small[8];
  memset(text, 'a', sizeof text - 1);
  text[sizeof text - 1] = 0;
  hy__error_set(&err, HY_IO, "%s", text);
  assert_int_equal(strlen(err.message), sizeof err.message - 1);
  hy__error_prefix(&err, "%s", text);
  assert_int_equal(strlen(err.message), sizeof err.message - 1);
  hy__error_set(&err, HY_IO, "%.*s疾風", (int)sizeof err.message - 3, text);
  assert_int_equal(strlen(err.message), sizeof err.message - 3); /* no half character */
  memcpy(text + sizeof text - 9, "/bars.csv", 9);
  text[sizeof text - 1] = 0;
  memcpy(text, "/a/b", 4);
  hy__error_subject(&err, text);
  assert_int_equal(strlen(err.subject), sizeof err.subject - 1);
  assert_memory_equal(err.subject, "...", 3);
  assert_non_null(strstr(err.subject, "/bars.cs"));
  hy__error_set(&err, HY_IO, "long message");
  assert_int_equal(hy_error_format(&err, small, sizeof small), 12);
  assert_string_equal(small, "long me");
}

static hy_status inner(hy_error *err) { HY_FAIL(HY_LIMIT, err, "own %s", "text"); }

static hy_status outer(hy_error *err) {
  HY_TRY(inner(err));
  return HY_OK;
}

static hy_status conditional(bool refuse, hy_error *err) {
  HY_FAIL_IF(refuse, HY_MISMATCH, err, "refused");
  return HY_OK;
}

static void macros(void **state) {
  (void)state;
  hy_error err;
  assert_int_equal(outer(&err), HY_LIMIT);
  assert_string_equal(err.message, "own text");
  assert_int_equal(outer(NULL), HY_LIMIT);
  assert_int_equal(conditional(true, &err), HY_MISMATCH);
  assert_int_equal(conditional(false, &err), HY_OK);
  /* A message may be made of the error it replaces. */
  hy__error_set(&err, HY_IO, "again: %s", err.message);
  assert_string_equal(err.message, "again: refused");
  hy__error_subject(NULL, "x");
  hy__error_place(NULL, 1, 1, 1);
  hy__error_prefix(NULL, "x");
  hy_error_clear(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table),
      cmocka_unit_test(places),
      cmocka_unit_test(cuts),
      cmocka_unit_test(macros),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
