/* SPDX-License-Identifier: Apache-2.0
 * hayate features bench: what each feature costs. */
#include "cli/features_check.h"

struct args {
  cli_check_args check;
};

static const cli_option options[] = {
    CLI_CHECK_ROWS(struct args),
};

static int run(cli_context *cli, const void *arguments) {
  const struct args *args = arguments;
  hy_features_check_options o = {0};
  return cli_features_check(cli, &args->check, HY_CHECK_BENCH, &o);
}

const cli_command cmd_features_bench = {CLI_ROWS(options),
                                        .common = CLI_JSON | CLI_THREADS | CLI_ISA,
                                        .args_bytes = sizeof(struct args), .run = run};
