/* SPDX-License-Identifier: Apache-2.0
 * hayate inspect: a model's graph, plan, memory and floor; what a pipeline holds. */
#include <hayate/inspect.h>
#include <hayate/pack.h>
#include <hayate/score.h>

#include "cli/cli.h"

struct args {
  const char *model;
  cli_list shapes;
  uint64_t batch;
  bool time;
  int precision;
};

static const cli_option options[] = {
    {"MODEL", CLI_ARG_PATH, offsetof(struct args, model), CLI_REQUIRED, NULL, 0},
    {"batch", CLI_COUNT, offsetof(struct args, batch), 0, NULL, 'b'},
    {"shape", CLI_LIST, offsetof(struct args, shapes), 0, NULL, 0},
    {"precision", CLI_CHOICE, offsetof(struct args, precision), 0, CLI_PRECISIONS, 0},
    {"time", CLI_FLAG, offsetof(struct args, time), 0, NULL, 0},
};

static hy_status inspect_model(const char *path, hy_runtime *runtime, const hy_inspect_options *o,
                               bool json, hy_error *err) {
  hy_model *model = NULL;
  hy_sink to_stdout = {cli_sink_write, stdout};
  hy_status status = hy_model_open(runtime, path, NULL, &model, err);
  if (status == HY_OK) status = hy_model_inspect(model, o, json, &to_stdout, err);
  hy_model_destroy(model);
  return status;
}

static hy_status inspect_pipeline(const char *path, hy_runtime *runtime, bool json, hy_error *err) {
  hy_pipeline *pipeline = NULL;
  hy_sink to_stdout = {cli_sink_write, stdout};
  hy_status status = hy_pipeline_open(runtime, path, &pipeline, err);
  if (status == HY_OK) status = hy_pipeline_inspect(pipeline, json, &to_stdout, err);
  hy_pipeline_destroy(pipeline);
  return status;
}

static int run(cli_context *cli, const void *args) {
  const struct args *a = args;
  hy_error err;
  hy_runtime *runtime = NULL;
  hy_pack_kind kind = HY_PACK_NONE;
  if (!cli->n_threads) cli->n_threads = 1;
  hy_inspect_options o = {.struct_size = sizeof o,
                          .batch = a->batch,
                          .shapes = a->shapes.items,
                          .n_shapes = a->shapes.n,
                          .n_threads = cli->n_threads,
                          .precision = cli_precision(a->precision),
                          .time_steps = a->time};
  hy_status status = cli_runtime(cli, &runtime, &err);
  if (status == HY_OK) status = hy_pack_kind_of(runtime, a->model, &kind, &err);
  if (status == HY_OK)
    status = kind == HY_PACK_PIPELINE || cli_is_pipeline(a->model)
                 ? inspect_pipeline(a->model, runtime, cli->json, &err)
                 : inspect_model(a->model, runtime, &o, cli->json, &err);
  int exit_status = status == HY_OK ? CLI_DONE : cli_fail(cli, &err);
  hy_runtime_destroy(runtime);
  return exit_status;
}

const cli_command cmd_inspect = {CLI_ROWS(options), CLI_JSON | CLI_THREADS | CLI_ISA,
                                 sizeof(struct args), run};
