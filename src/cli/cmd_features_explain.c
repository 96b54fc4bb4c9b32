/* SPDX-License-Identifier: Apache-2.0
 * hayate features explain: what a spec becomes: its nodes, look-back, stability and cost; or what a
 * definition is. */
#include <hayate/feature.h>

#include "cli/cli.h"

struct args {
  const char *spec, *fit;
  bool canonical;
};

static const cli_option options[] = {
    {"SPEC", CLI_ARG_PATH, offsetof(struct args, spec), CLI_REQUIRED, NULL, 0},
    {"fit", CLI_PATH, offsetof(struct args, fit), 0, NULL, 0},
    {"canonical", CLI_FLAG, offsetof(struct args, canonical), 0, NULL, 0},
};

static hy_status explain(const cli_context *cli, const struct args *args, const hy_features *f,
                         hy_error *err) {
  const hy_sink sink = {.write = cli_sink_write, .ctx = stdout};
  if (!args->canonical) return hy_features_explain(f, cli->json, &sink, err);
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(f, &info);
  printf("%s\n", info.canonical);
  return HY_OK;
}

/* A definition's id alone is no spec: it asks what the definition is. */
static bool describes(const cli_context *cli, const struct args *args) {
  const hy_sink sink = {.write = cli_sink_write, .ctx = stdout};
  if (args->canonical || args->fit) return false;
  return hy_features_describe_id(args->spec, cli->json, &sink, NULL) == HY_OK;
}

static int run(cli_context *cli, const void *arguments) {
  const struct args *args = arguments;
  hy_runtime *runtime = NULL;
  hy_features *features = NULL;
  hy_error err;
  if (describes(cli, args)) return CLI_DONE;
  if (cli_runtime(cli, &runtime, &err) != HY_OK) return cli_fail(cli, &err);
  hy_status status = hy_features_create_fitted(runtime, args->spec, args->fit, &features, &err);
  if (status == HY_OK) {
    status = explain(cli, args, features, &err);
    hy_features_destroy(features);
  }
  hy_runtime_destroy(runtime);
  return status == HY_OK ? CLI_DONE : cli_fail(cli, &err);
}

const cli_command cmd_features_explain = {CLI_ROWS(options), .common = CLI_JSON | CLI_ISA,
                                          .args_bytes = sizeof(struct args), .run = run};
