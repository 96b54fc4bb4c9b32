/* SPDX-License-Identifier: Apache-2.0
 * hayate features parity: does a stream give batch's bits? */
#include "cli/features_check.h"

struct args {
  cli_check_args check;
  uint64_t points;
};

static const cli_option options[] = {
    CLI_CHECK_ROWS(struct args),
    {"points", CLI_COUNT, offsetof(struct args, points), 0, NULL, 0},
};

static int run(cli_context *cli, const void *arguments) {
  const struct args *args = arguments;
  hy_features_check_options o = {.seed = cli->seed, .n_points = (size_t)args->points};
  return cli_features_check(cli, &args->check, HY_CHECK_PARITY, &o);
}

const cli_command cmd_features_parity = {CLI_ROWS(options),
                                         .common = CLI_JSON | CLI_THREADS | CLI_ISA | CLI_SEED,
                                         .args_bytes = sizeof(struct args), .run = run};
