/* SPDX-License-Identifier: Apache-2.0
 * hayate features parity, lookahead, recursive, coverage, bench: what they share. */
#include "cli/features_check.h"

typedef struct job {
  const cli_context *cli;
  const cli_check_args *args;
  hy_check_kind kind;
  hy_features_check_options *options;
} job;

static hy_status check(const job *j, const hy_features *features, const hy_universe *universe,
                       bool *passed, hy_error *err) {
  hy_features_check *report;
  const hy_sink sink = {.write = cli_sink_write, .ctx = stdout};
  cli_progress bar = cli_progress_start("check");
  j->options->progress = cli_progress_update;
  j->options->progress_ctx = &bar;
  hy_status status = hy_features_check_run(features, universe, j->kind, j->options, &report, err);
  cli_progress_end(&bar);
  if (status != HY_OK) return status;
  *passed = hy_features_check_passed(report);
  status = hy_features_check_write(report, j->cli->json, &sink, err);
  hy_features_check_destroy(report);
  return status;
}

static hy_status open_and_check(const job *j, hy_runtime *runtime, bool *passed, hy_error *err) {
  hy_features *features;
  cli_universe u;
  hy_status status =
      hy_features_create_fitted(runtime, j->args->spec, j->args->fit, &features, err);
  if (status != HY_OK) return status;
  status = cli_universe_open(runtime, &j->args->universe, &u, err);
  if (status == HY_OK) {
    status = check(j, features, u.bars, passed, err);
    cli_universe_close(&u);
  }
  hy_features_destroy(features);
  return status;
}

int cli_features_check(const cli_context *cli, const cli_check_args *args, hy_check_kind kind,
                       hy_features_check_options *options) {
  const job j = {cli, args, kind, options};
  hy_runtime *runtime = NULL;
  hy_error err;
  bool passed = false;
  options->struct_size = sizeof *options;
  cli_interrupt_install();
  if (cli_runtime(cli, &runtime, &err) != HY_OK) return cli_fail(cli, &err);
  const hy_status status = open_and_check(&j, runtime, &passed, &err);
  hy_runtime_destroy(runtime);
  if (status != HY_OK) return cli_fail(cli, &err);
  return passed ? CLI_DONE : CLI_NO;
}

int cli_points_check(const cli_context *cli, const cli_points_args *args, hy_check_kind kind) {
  hy_features_check_options o = {.seed = cli->seed, .n_points = (size_t)args->points};
  return cli_features_check(cli, &args->check, kind, &o);
}
