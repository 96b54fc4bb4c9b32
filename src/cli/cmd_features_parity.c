/* SPDX-License-Identifier: Apache-2.0
 * hayate features parity: does a stream give batch's bits? */
#include "cli/features_check.h"

static const cli_option options[] = {CLI_POINTS_ROWS};

static int run(cli_context *cli, const void *args) {
  return cli_points_check(cli, args, HY_CHECK_PARITY);
}

const cli_command cmd_features_parity = {CLI_ROWS(options),
                                         .common = CLI_JSON | CLI_THREADS | CLI_ISA | CLI_SEED,
                                         .args_bytes = sizeof(cli_points_args), .run = run};
