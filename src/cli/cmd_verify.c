/* SPDX-License-Identifier: Apache-2.0
 * hayate verify: the checksums of a packed model or pipeline, and its golden input once more. */
#include <hayate/pack.h>
#include <hayate/score.h>

#include "cli/cli.h"

struct args {
  const char *file;
};

static const cli_option options[] = {
    {"FILE", CLI_ARG_PATH, offsetof(struct args, file), CLI_REQUIRED, NULL, 0},
};

static int run(cli_context *cli, const void *args) {
  const struct args *a = args;
  hy_error err;
  bool ok = false;
  hy_runtime *runtime = NULL;
  hy_sink to_stdout = {cli_sink_write, stdout};
  hy_status status = cli_runtime(cli, &runtime, &err);
  hy_pack_kind kind = HY_PACK_NONE;
  if (status == HY_OK) status = hy_pack_kind_of(runtime, a->file, &kind, &err);
  if (status == HY_OK)
    status = kind == HY_PACK_PIPELINE
                 ? hy_pipeline_verify(runtime, a->file, cli->json, &to_stdout, &ok, &err)
                 : hy_pack_verify(runtime, a->file, cli->json, &to_stdout, &ok, &err);
  int exit_status = status != HY_OK ? cli_fail(cli, &err) : ok ? CLI_DONE : CLI_NO;
  hy_runtime_destroy(runtime);
  return exit_status;
}

const cli_command cmd_verify = {CLI_ROWS(options), CLI_JSON | CLI_ISA, sizeof(struct args), run};
