/* SPDX-License-Identifier: Apache-2.0
 * hayate doctor: what this machine offers and what is in the way. */
#include <hayate/inspect.h>

#include "cli/cli.h"

struct args {
  bool none;
};

static int run(cli_context *cli, const void *args) {
  (void)args;
  hy_error err;
  bool sound = false;
  hy_runtime *runtime = NULL;
  hy_sink to_stdout = {cli_sink_write, stdout};
  hy_status status = cli_runtime(cli, &runtime, &err);
  if (status == HY_OK) status = hy_machine_describe(runtime, cli->json, &to_stdout, &sound, &err);
  int exit_status = status != HY_OK ? cli_fail(cli, &err) : sound ? CLI_DONE : CLI_NO;
  if (status == HY_OK && !cli->json) {
    char path[CLI_PEER_BYTES];
    const char *peer = cli_peer_find(NULL, path, sizeof path);
    printf("%-6s %-24s %s\n", "ok", "onnxruntime", peer ? peer : "not found (bench --peer)");
  }
  hy_runtime_destroy(runtime);
  return exit_status;
}

const cli_command cmd_doctor = {
    .common = CLI_JSON | CLI_ISA, .args_bytes = sizeof(struct args), .run = run};
