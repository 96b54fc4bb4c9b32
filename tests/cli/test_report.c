/* SPDX-License-Identifier: Apache-2.0 */
/* What the frame says and how it is stopped: JSON, the exit status of an error, progress, Ctrl-C.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/frame.h"

static char *text;
static size_t text_bytes;

static cli_json open_json(FILE **out) {
  *out = open_memstream(&text, &text_bytes);
  assert_non_null(*out);
  return cli_json_start(*out);
}

static void expect_json(FILE *out, cli_json *j, const char *expected) {
  cli_json_end(j);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(text, expected);
  free(text);
}

static void test_json_values(void **state) {
  (void)state;
  FILE *out = NULL;
  cli_json j = open_json(&out);
  cli_json_text(&j, "a", "x\"\\\n\t\x01y");
  cli_json_text(&j, "none", NULL);
  cli_json_real(&j, "r", 0.1);
  cli_json_real(&j, "third", 1.0 / 3.0);
  cli_json_real(&j, "nan", NAN);
  cli_json_count(&j, "n", UINT64_MAX);
  cli_json_integer(&j, "i", INT64_MIN);
  cli_json_bool(&j, "b", true);
  expect_json(out, &j,
              "{\"a\": \"x\\\"\\\\\\n\\t\\u0001y\", \"none\": null, \"r\": 0.1, "
              "\"third\": 0.3333333333333333, \"nan\": null, \"n\": 18446744073709551615, "
              "\"i\": -9223372036854775808, \"b\": true}\n");
}

static void test_json_nesting(void **state) {
  (void)state;
  FILE *out = NULL;
  cli_json j = open_json(&out);
  cli_json_array(&j, "list");
  cli_json_integer(&j, NULL, 1);
  cli_json_object(&j, NULL);
  cli_json_close(&j);
  cli_json_close(&j);
  cli_json_object(&j, "o");
  cli_json_text(&j, "k", "v");
  expect_json(out, &j, "{\"list\": [1, {}], \"o\": {\"k\": \"v\"}}\n");
}

static void test_failure_becomes_exit_status(void **state) {
  (void)state;
  cli_context cli = {.command = "test"};
  hy_error err;
  hy_error_clear(&err);
  static const struct {
    hy_status status;
    int leave;
  } cases[] = {{HY_BAD_FORMAT, CLI_USAGE},
               {HY_IO, CLI_SYSTEM},
               {HY_CANCELLED, CLI_INTERRUPTED},
               {HY_NEED_MORE_DATA, CLI_NO}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    err.status = (int32_t)cases[i].status;
    assert_int_equal(cli_fail(&cli, &err), cases[i].leave);
  }
  assert_int_equal(cli_refuse(&cli, "%s", "no"), CLI_USAGE);
}

static void test_runtime_of_the_options(void **state) {
  (void)state;
  cli_context cli = {.command = "test", .n_threads = 1, .isa = HY_ISA_SCALAR};
  hy_runtime *runtime = NULL;
  assert_int_equal(cli_runtime(&cli, &runtime, NULL), HY_OK);
  assert_int_equal(hy_runtime_n_threads(runtime), 1);
  assert_int_equal(hy_runtime_isa(runtime), HY_ISA_SCALAR);
  hy_runtime_destroy(runtime);
}

static void test_completion_knows_three_shells(void **state) {
  (void)state;
  FILE *out = tmpfile();
  assert_true(cli_complete("bash", out) && cli_complete("zsh", out) && cli_complete("fish", out));
  assert_false(cli_complete("csh", out));
  assert_int_equal(fclose(out), 0);
}

/* Last: the flag of Ctrl-C stays set. */
static void test_interrupt_stops_progress(void **state) {
  (void)state;
  cli_interrupt_install();
  cli_progress bar = cli_progress_start("test");
  assert_true(cli_progress_update(&bar, 1, 2, "rows"));
  assert_int_equal(*cli_cancel(), 0);
  assert_int_equal(raise(SIGINT), 0);
  assert_true(cli_interrupted() && *cli_cancel());
  assert_false(cli_progress_update(&bar, 2, 2, "rows"));
  cli_progress_end(&bar);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_json_values),
      cmocka_unit_test(test_json_nesting),
      cmocka_unit_test(test_failure_becomes_exit_status),
      cmocka_unit_test(test_runtime_of_the_options),
      cmocka_unit_test(test_completion_knows_three_shells),
      cmocka_unit_test(test_interrupt_stops_progress),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
