/* SPDX-License-Identifier: Apache-2.0
 * hayate features coverage: how much is missing, and why? */
#include "cli/features_check.h"

struct args {
  cli_check_args check;
  double max_missing;
};

static const cli_option options[] = {
    CLI_CHECK_ROWS(struct args),
    {"max-missing", CLI_REAL, offsetof(struct args, max_missing), 0, NULL, 0},
};

static int run(cli_context *cli, const void *arguments) {
  const struct args *args = arguments;
  hy_features_check_options o = {.max_missing = args->max_missing};
  return cli_features_check(cli, &args->check, HY_CHECK_COVERAGE, &o);
}

const cli_command cmd_features_coverage = {CLI_ROWS(options),
                                           .common = CLI_JSON | CLI_THREADS | CLI_ISA,
                                           .args_bytes = sizeof(struct args), .run = run};
