/* SPDX-License-Identifier: Apache-2.0
 * hayate features list: the definitions that a spec can use. */
#include <hayate/feature.h>

#include "cli/cli.h"

struct args {
  const char *pattern;
};

static const cli_option options[] = {
    {"PATTERN", CLI_ARG, offsetof(struct args, pattern), 0, NULL, 0},
};

static int run(cli_context *cli, const void *arguments) {
  const struct args *args = arguments;
  const hy_sink sink = {.write = cli_sink_write, .ctx = stdout};
  hy_error err;
  if (hy_features_list(args->pattern, cli->json, &sink, &err) != HY_OK) return cli_fail(cli, &err);
  return CLI_DONE;
}

const cli_command cmd_features_list = {CLI_ROWS(options), .common = CLI_JSON,
                                       .args_bytes = sizeof(struct args), .run = run};
