/* SPDX-License-Identifier: Apache-2.0
 * hayate features recursive: how much history does a value need? */
#include "cli/features_check.h"

struct args {
  cli_check_args check;
  uint64_t warmup;
  double tol;
};

static const cli_option options[] = {
    CLI_CHECK_ROWS(struct args),
    {"warmup", CLI_COUNT, offsetof(struct args, warmup), 0, NULL, 0},
    {"tol", CLI_REAL, offsetof(struct args, tol), 0, NULL, 0},
};

static int run(cli_context *cli, const void *arguments) {
  const struct args *args = arguments;
  hy_features_check_options o = {.tol = args->tol, .warmup_bars = (size_t)args->warmup};
  return cli_features_check(cli, &args->check, HY_CHECK_RECURSIVE, &o);
}

const cli_command cmd_features_recursive = {CLI_ROWS(options),
                                            .common = CLI_JSON | CLI_THREADS | CLI_ISA,
                                            .args_bytes = sizeof(struct args), .run = run};
