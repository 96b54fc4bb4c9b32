/* SPDX-License-Identifier: Apache-2.0
 * hayate features compute: the features of a universe into an .npz. */
#include <hayate/feature.h>

#include "cli/universe.h"

struct args {
  const char *spec, *output, *fit;
  cli_universe_args universe;
  int dtype;
};

static const cli_option options[] = {
    {"SPEC", CLI_ARG_PATH, offsetof(struct args, spec), CLI_REQUIRED, NULL, 0},
    {"data", CLI_PATH, offsetof(struct args, universe.data), CLI_REQUIRED, NULL, 'd'},
    {"output", CLI_PATH, offsetof(struct args, output), CLI_REQUIRED, NULL, 'o'},
    {"at", CLI_TEXT, offsetof(struct args, universe.at), 0, NULL, 0},
    {"from", CLI_TEXT, offsetof(struct args, universe.from), 0, NULL, 0},
    {"to", CLI_TEXT, offsetof(struct args, universe.to), 0, NULL, 0},
    {"actions", CLI_PATH, offsetof(struct args, universe.actions), 0, NULL, 0},
    {"fit", CLI_PATH, offsetof(struct args, fit), 0, NULL, 0},
    {"dtype", CLI_CHOICE, offsetof(struct args, dtype), 0, "f8|f4", 0},
};

enum { DTYPE_F4 = 2 };

static void report(const cli_context *cli, const struct args *args, const hy_features *features,
                   size_t rows, size_t symbols, double elapsed_ms) {
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(features, &info);
  if (!cli->json) {
    cli_note("%s: %zu features x %zu rows x %zu symbols in %.0f ms", args->output, info.n_features,
             rows, symbols, elapsed_ms);
    return;
  }
  cli_json j = cli_json_start(stdout);
  cli_json_text(&j, "output", args->output);
  cli_json_count(&j, "features", info.n_features);
  cli_json_count(&j, "rows", rows);
  cli_json_count(&j, "symbols", symbols);
  cli_json_text(&j, "spec_sha256", info.spec_sha256);
  if (info.fit_sha256) cli_json_text(&j, "fit_sha256", info.fit_sha256);
  cli_json_real(&j, "elapsed_ms", elapsed_ms);
  cli_json_end(&j);
}

static hy_status compute(const cli_context *cli, const struct args *args, const hy_features *f,
                         const cli_universe *u, hy_error *err) {
  const int64_t start_ns = cli_now_ns();
  cli_progress bar = cli_progress_start("features");
  hy_features_write_options o = {.struct_size = sizeof o,
                                 .path = args->output,
                                 .t_begin = u->t_begin,
                                 .t_end = u->t_end,
                                 .dtype = args->dtype == DTYPE_F4 ? HY_F32 : HY_F64,
                                 .progress = cli_progress_update,
                                 .progress_ctx = &bar};
  hy_status status = hy_features_write(f, u->bars, &o, err);
  cli_progress_end(&bar);
  if (status != HY_OK) return status;
  hy_universe_info info = {.struct_size = sizeof info};
  hy_universe_describe(u->bars, &info);
  report(cli, args, f, o.t_end - o.t_begin, info.n_symbols,
         (double)(cli_now_ns() - start_ns) / 1e6);
  return HY_OK;
}

static hy_status open_and_compute(const cli_context *cli, const struct args *args,
                                  hy_runtime *runtime, hy_error *err) {
  hy_features *features;
  cli_universe u;
  hy_status status = hy_features_create_fitted(runtime, args->spec, args->fit, &features, err);
  if (status != HY_OK) return status;
  status = cli_universe_open(runtime, &args->universe, &u, err);
  if (status == HY_OK) {
    status = compute(cli, args, features, &u, err);
    cli_universe_close(&u);
  }
  hy_features_destroy(features);
  return status;
}

static int run(cli_context *cli, const void *args) {
  const struct args *a = args;
  hy_runtime *runtime = NULL;
  hy_error err;
  if (cli_same_file(a->universe.data, a->output) || cli_same_file(a->spec, a->output))
    return cli_refuse(cli, "--output %s is a file that is read", a->output);
  cli_interrupt_install();
  if (cli_runtime(cli, &runtime, &err) != HY_OK) return cli_fail(cli, &err);
  const hy_status status = open_and_compute(cli, args, runtime, &err);
  hy_runtime_destroy(runtime);
  return status == HY_OK ? CLI_DONE : cli_fail(cli, &err);
}

const cli_command cmd_features_compute = {CLI_ROWS(options),
                                          .common = CLI_JSON | CLI_THREADS | CLI_ISA,
                                          .args_bytes = sizeof(struct args), .run = run};
