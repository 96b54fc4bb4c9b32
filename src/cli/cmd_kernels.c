/* SPDX-License-Identifier: Apache-2.0
 * hayate kernels: which kernel this machine gets, and why. */
#include <hayate/inspect.h>

#include "cli/cli.h"

struct args {
  bool none;
};

static int run(cli_context *cli, const void *args) {
  (void)args;
  hy_error err;
  hy_runtime *runtime = NULL;
  hy_sink to_stdout = {cli_sink_write, stdout};
  hy_status status = cli_runtime(cli, &runtime, &err);
  if (status == HY_OK) status = hy_kernels_list(runtime, cli->json, &to_stdout, &err);
  int exit_status = status == HY_OK ? CLI_DONE : cli_fail(cli, &err);
  hy_runtime_destroy(runtime);
  return exit_status;
}

const cli_command cmd_kernels = {
    .common = CLI_JSON | CLI_ISA, .args_bytes = sizeof(struct args), .run = run};
