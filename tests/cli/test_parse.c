/* SPDX-License-Identifier: Apache-2.0 */
/* The option parser over a table of its own: every kind, every refusal, and the number readers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/frame.h"

struct args {
  const char *pipeline;
  const char *data;
  uint64_t repeat;
  int dtype;
  bool evaluate;
  double rtol;
  bool rtol_given;
  double limit_s;
  cli_list shape;
  cli_list more;
};

static const cli_option rows[] = {
    {"PIPELINE", CLI_ARG_PATH, offsetof(struct args, pipeline), CLI_REQUIRED, NULL, 0},
    {"data", CLI_PATH, offsetof(struct args, data), CLI_ENV, NULL, 'd'},
    {"repeat", CLI_COUNT, offsetof(struct args, repeat), 0, NULL, 0},
    {"dtype", CLI_CHOICE, offsetof(struct args, dtype), 0, "f4|f8", 0},
    {"evaluate", CLI_FLAG, offsetof(struct args, evaluate), 0, NULL, 'e'},
    {"rtol", CLI_REAL, offsetof(struct args, rtol), CLI_GIVEN, NULL, 0},
    {"time-limit", CLI_SECONDS, offsetof(struct args, limit_s), CLI_ENV, NULL, 0},
    {"shape", CLI_LIST, offsetof(struct args, shape), 0, NULL, 0},
    {"MORE", CLI_ARG_REST, offsetof(struct args, more), 0, NULL, 0},
};
static const cli_command command = {CLI_ROWS(rows),
                                    .common = CLI_JSON | CLI_THREADS | CLI_ISA | CLI_SEED,
                                    .args_bytes = sizeof(struct args)};

typedef struct outcome {
  hy_status status;
  struct args args;
  cli_context cli;
  hy_error err;
} outcome;

/* Parses the words of `line`, split at blanks; "" stands for none. */
static outcome parse_line(const char *line) {
  static char words[512];
  char *argv[100];
  int argc = 0;
  (void)snprintf(words, sizeof words, "%s", line);
  for (char *at = words; *at;) {
    argv[argc++] = at;
    at += strcspn(at, " ");
    if (*at) *at++ = 0;
  }
  outcome o;
  memset(&o, 0, sizeof o);
  o.cli.command = "test";
  o.status = cli_parse(&command, argc, argv, &o.cli, &o.args, &o.err);
  return o;
}

static void refused(const char *line, const char *message) {
  outcome o = parse_line(line);
  assert_int_equal(o.status, o.err.status);
  assert_string_equal(o.err.message, message);
}

static void test_every_kind(void **state) {
  (void)state;
  outcome o =
      parse_line("a.yaml --data=u.h5 --repeat 10k --dtype f8 -e --rtol 0 --time-limit 500ms "
                 "--shape a=1 --shape b=2 x y --threads 3 --isa avx2 --seed 9 --json");
  assert_int_equal(o.status, HY_OK);
  assert_string_equal(o.args.pipeline, "a.yaml");
  assert_string_equal(o.args.data, "u.h5");
  assert_int_equal(o.args.repeat, 10000);
  assert_int_equal(o.args.dtype, 2);
  assert_true(o.args.evaluate && o.args.rtol_given && o.args.rtol == 0);
  assert_true(o.args.limit_s == 0.5);
  assert_int_equal(o.args.shape.n, 2);
  assert_string_equal(o.args.shape.items[1], "b=2");
  assert_int_equal(o.args.more.n, 2);
  assert_true(o.cli.json && o.cli.n_threads == 3 && o.cli.isa == HY_ISA_AVX2);
  assert_true(o.cli.seed_given && o.cli.seed == 9);
}

static void test_forms(void **state) {
  (void)state;
  assert_string_equal(parse_line("a -du.h5").args.data, "u.h5");
  assert_string_equal(parse_line("a -d u.h5").args.data, "u.h5");
  assert_string_equal(parse_line("-- --a").args.pipeline, "--a");
  assert_string_equal(parse_line("-").args.pipeline, "-");
  assert_true(parse_line("--nonsense --help").cli.help);
  assert_false(parse_line("a -- --help").cli.help);
  assert_true(parse_line("a --nonsense --json").cli.json);
}

static void test_refusals(void **state) {
  (void)state;
  refused("", "PIPELINE is missing");
  refused("a --dat u", "unknown option --dat; did you mean --data?");
  refused("a --eval", "unknown option --eval; did you mean --evaluate?");
  refused("a --thread 2", "unknown option --thread; did you mean --threads?");
  refused("a --zzzzzz", "unknown option --zzzzzz");
  refused("a -q", "unknown option -q");
  refused("a --data", "--data needs a value");
  refused("a --data=", "--data: '' is not a value (it is empty)");
  refused("a --evaluate=1", "--evaluate takes no value");
  refused("a --data u --data v", "--data is given twice");
  refused("a --dtype f2", "--dtype: 'f2' is not one of f4|f8");
  refused("a --dtype f", "--dtype: 'f' is not one of f4|f8");
  refused("a --repeat -1", "--repeat: '-1' is not a whole number (such as 500, 10k or 2M)");
  refused("a --rtol x", "--rtol: 'x' is not a number");
  refused("a --time-limit 3y", "--time-limit: '3y' is not a duration (such as 500ms, 2s or 1.5m)");
  refused("a --threads 0", "--threads: '0' is not a number of threads from 1 to 1024");
  refused("a --isa sse9", "--isa: 'sse9' is not one of scalar|avx2|avx512|amx|neon");
}

static void test_environment(void **state) {
  (void)state;
  assert_int_equal(setenv("HAYATE_TIME_LIMIT", "2m", 1), 0);
  assert_int_equal(setenv("HAYATE_THREADS", "5", 1), 0);
  outcome o = parse_line("a");
  assert_true(o.args.limit_s == 120);
  assert_int_equal(o.cli.n_threads, 5);
  assert_true(parse_line("a --time-limit 1s").args.limit_s == 1);
  assert_int_equal(setenv("HAYATE_THREADS", "many", 1), 0);
  refused("a", "in the environment (HAYATE_*): --threads: 'many' is not a number of threads from 1 "
               "to 1024");
  (void)unsetenv("HAYATE_THREADS");
  (void)unsetenv("HAYATE_TIME_LIMIT");
}

static void test_list_limit(void **state) {
  (void)state;
  char line[512] = "a";
  for (int i = 0; i < CLI_LIST_MAX; i++) memcpy(line + 1 + 2 * i, " b", 3);
  assert_int_equal(parse_line(line).args.more.n, CLI_LIST_MAX);
  memcpy(line + 1 + 2 * CLI_LIST_MAX, " c", 3);
  refused(line, "MORE may be given at most 64 times");
}

static void test_counts(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool good;
    uint64_t value;
  } cases[] = {
      {"0", true, 0},        {"18446744073709551615", true, UINT64_MAX},
      {"2M", true, 2000000}, {"1_000_000", true, 1000000},
      {"", false, 0},        {"18446744073709551616", false, 0},
      {"1_", false, 0},      {"18446744073709551615k", false, 0},
      {"2kk", false, 0},     {"0x10", false, 0},
      {" 1", false, 0},      {"1.5k", false, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint64_t value = 0;
    assert_int_equal(cli_read_count(cases[i].text, &value), cases[i].good);
    if (cases[i].good) assert_true(value == cases[i].value);
  }
}

static void test_reals(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double value;
  } good[] = {{"1e-5", 1e-5},
              {"0.1", 0.1},
              {"-2.5E+3", -2500},
              {".5", 0.5},
              {"3.", 3},
              {"123456789012345678901234567890", 123456789012345678901234567890.0},
              {"0e999", 0},
              {"0.000000000000000000000000000001", 1e-30},
              {"1.7976931348623157e308", 1.7976931348623157e308}};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    double value = NAN;
    assert_true(cli_read_real(good[i].text, &value));
    assert_true(value == good[i].value);
  }
  static const char *const bad[] = {"", "-", ".", "e5", "1e", "nan", "inf", "1e999", "1 ", "0x1"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    double value;
    assert_false(cli_read_real(bad[i], &value));
  }
}

static void test_nearest(void **state) {
  (void)state;
  static const char *const names[] = {"score", "import", "infer", "gen", "features list"};
  assert_string_equal(cli_nearest("scroe", names, 5), "score");
  assert_string_equal(cli_nearest("ifner", names, 5), "infer");
  assert_string_equal(cli_nearest("imp", names, 5), "import");
  assert_string_equal(cli_nearest("feature list", names, 5), "features list");
  assert_null(cli_nearest("zebra", names, 5));
  char endless[400];
  memset(endless, 'a', sizeof endless - 1);
  endless[sizeof endless - 1] = 0;
  assert_null(cli_nearest(endless, names, 5));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_kind), cmocka_unit_test(test_forms),
      cmocka_unit_test(test_refusals),   cmocka_unit_test(test_environment),
      cmocka_unit_test(test_list_limit), cmocka_unit_test(test_counts),
      cmocka_unit_test(test_reals),      cmocka_unit_test(test_nearest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
