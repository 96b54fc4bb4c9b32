/* SPDX-License-Identifier: Apache-2.0
 * hayate features fit: the constants that a spec's steps of a fit need, from a training range. */
#include <hayate/feature.h>

#include "cli/universe.h"

struct args {
  const char *spec, *output;
  cli_universe_args universe;
};

static const cli_option options[] = {
    {"SPEC", CLI_ARG_PATH, offsetof(struct args, spec), CLI_REQUIRED, NULL, 0},
    {"data", CLI_PATH, offsetof(struct args, universe.data), CLI_REQUIRED, NULL, 'd'},
    {"from", CLI_TEXT, offsetof(struct args, universe.from), CLI_REQUIRED, NULL, 0},
    {"to", CLI_TEXT, offsetof(struct args, universe.to), CLI_REQUIRED, NULL, 0},
    {"actions", CLI_PATH, offsetof(struct args, universe.actions), 0, NULL, 0},
    {"output", CLI_PATH, offsetof(struct args, output), CLI_REQUIRED, NULL, 'o'},
};

static void report(const cli_context *cli, const struct args *args, size_t rows,
                   const hy_features_fit_report *r) {
  if (!cli->json) {
    cli_note("%s: %zu features over %zu rows, %zu pairs of constants, sha256 %s", args->output,
             r->n_features, rows, r->n_constants, r->sha256);
    return;
  }
  cli_json j = cli_json_start(stdout);
  cli_json_text(&j, "output", args->output);
  cli_json_count(&j, "features", r->n_features);
  cli_json_count(&j, "rows", rows);
  cli_json_count(&j, "constants", r->n_constants);
  cli_json_text(&j, "fit_sha256", r->sha256);
  cli_json_end(&j);
}

static hy_status fit(const cli_context *cli, const struct args *args, hy_runtime *runtime,
                     hy_error *err) {
  cli_universe u;
  hy_features_fit_options o = {.struct_size = sizeof o, .path = args->output};
  hy_features_fit_report r = {.struct_size = sizeof r};
  hy_status status = cli_universe_open(runtime, &args->universe, &u, err);
  if (status != HY_OK) return status;
  o.t_begin = u.t_begin, o.t_end = u.t_end;
  status = hy_features_fit(runtime, args->spec, u.bars, &o, &r, err);
  if (status == HY_OK) report(cli, args, o.t_end - o.t_begin, &r);
  cli_universe_close(&u);
  return status;
}

static int run(cli_context *cli, const void *args) {
  const struct args *a = args;
  hy_runtime *runtime = NULL;
  hy_error err;
  if (cli_same_file(a->universe.data, a->output) || cli_same_file(a->spec, a->output))
    return cli_refuse(cli, "--output %s is a file that is read", a->output);
  if (cli_runtime(cli, &runtime, &err) != HY_OK) return cli_fail(cli, &err);
  const hy_status status = fit(cli, a, runtime, &err);
  hy_runtime_destroy(runtime);
  return status == HY_OK ? CLI_DONE : cli_fail(cli, &err);
}

const cli_command cmd_features_fit = {CLI_ROWS(options), .common = CLI_JSON | CLI_THREADS | CLI_ISA,
                                      .args_bytes = sizeof(struct args), .run = run};
