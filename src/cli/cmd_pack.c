/* SPDX-License-Identifier: Apache-2.0
 * hayate pack: freeze a model or a pipeline into one checksummed file. */
#include <string.h>
#include <sys/stat.h>

#include <hayate/pack.h>
#include <hayate/score.h>

#include "cli/cli.h"

enum { INPUTS_MAX = 64 };

struct args {
  const char *model, *output, *input, *data;
  cli_list shapes;
  uint64_t batch;
  bool every_isa;
};

#define AT(field) offsetof(struct args, field)
static const cli_option options[] = {
    {"MODEL", CLI_ARG_PATH, AT(model), CLI_REQUIRED, NULL, 0},
    {"output", CLI_PATH, AT(output), CLI_REQUIRED, NULL, 'o'},
    {"every-isa", CLI_FLAG, AT(every_isa), 0, NULL, 0},
    {"batch", CLI_COUNT, AT(batch), 0, NULL, 'b'},
    {"shape", CLI_LIST, AT(shapes), 0, NULL, 0},
    {"input", CLI_PATH, AT(input), 0, NULL, 'i'},
    {"data", CLI_PATH, AT(data), 0, NULL, 'd'},
};

static void report(const cli_context *cli, const struct args *a, const hy_isa *isas, size_t n) {
  struct stat info;
  uint64_t bytes = stat(a->output, &info) == 0 ? (uint64_t)info.st_size : 0;
  if (!cli->json) {
    cli_note("wrote %s: %llu bytes", a->output, (unsigned long long)bytes);
    return;
  }
  cli_json j = cli_json_start(stdout);
  cli_json_text(&j, "output", a->output);
  cli_json_count(&j, "bytes", bytes);
  cli_json_array(&j, "isas");
  for (size_t i = 0; i < n; i++) cli_json_text(&j, NULL, hy_isa_name(isas[i]));
  cli_json_end(&j);
}

static hy_status pack(const struct args *a, hy_runtime *runtime, hy_pack_options *o,
                      hy_error *err) {
  const char *names[INPUTS_MAX];
  hy_tensor tensors[INPUTS_MAX];
  hy_arrays *file = NULL;
  hy_status status = a->input ? hy_arrays_read(runtime, a->input, &file, err) : HY_OK;
  if (status != HY_OK) return status;
  if (file) {
    size_t n = hy_arrays_n(file);
    o->n_inputs = n < INPUTS_MAX ? n : INPUTS_MAX;
    for (size_t i = 0; i < o->n_inputs; i++) {
      names[i] = hy_arrays_name(file, i);
      tensors[i] = *hy_arrays_at(file, i);
    }
    o->input_names = names;
    o->inputs = tensors;
  }
  status = hy_pack_write(runtime, a->model, a->output, o, err);
  hy_arrays_destroy(file);
  return status;
}

static hy_status pack_pipeline(const struct args *a, hy_runtime *runtime, const hy_isa *isas,
                               size_t n, uint64_t seed, hy_error *err) {
  hy_pipeline_pack_options o = {
      .struct_size = sizeof o, .isas = isas, .n_isas = n, .data = a->data, .seed = seed};
  return hy_pipeline_pack(runtime, a->model, a->output, &o, err);
}

/* Options of the other form change nothing: that is refused rather than overlooked. */
static const char *misplaced(const struct args *a, bool pipeline) {
  if (!pipeline) return a->data ? "--data" : NULL;
  return a->input ? "--input" : a->shapes.n ? "--shape" : a->batch ? "--batch" : NULL;
}

static int run(cli_context *cli, const void *args) {
  const struct args *a = args;
  bool pipeline = cli_is_pipeline(a->model);
  const char *wrong = misplaced(a, pipeline);
  if (wrong)
    return cli_refuse(cli, "%s goes with a %s; %s is a %s", wrong, pipeline ? "model" : "pipeline",
                      a->model, pipeline ? "pipeline" : "model");
  hy_error err;
  hy_runtime *runtime = NULL;
  hy_isa isas[HY_ISA_AMX + 1];
  size_t n = 0;
  if (cli_same_file(a->model, a->output))
    return cli_refuse(cli, "--output is the %s itself: %s", pipeline ? "pipeline" : "model",
                      a->output);
  if (cli_runtime(cli, &runtime, &err) != HY_OK) return cli_fail(cli, &err);
  hy_isa best = hy_runtime_isa(runtime);
  for (hy_isa isa = a->every_isa ? HY_ISA_SCALAR : best; isa <= best; isa++) isas[n++] = isa;
  hy_pack_options o = {.struct_size = sizeof o,
                       .isas = isas,
                       .n_isas = n,
                       .batch = a->batch,
                       .shapes = a->shapes.items,
                       .n_shapes = a->shapes.n,
                       .seed = cli->seed};
  hy_status status =
      pipeline ? pack_pipeline(a, runtime, isas, n, cli->seed, &err) : pack(a, runtime, &o, &err);
  if (status == HY_OK) report(cli, a, isas, n);
  int exit_status = status == HY_OK ? CLI_DONE : cli_fail(cli, &err);
  hy_runtime_destroy(runtime);
  return exit_status;
}

const cli_command cmd_pack = {CLI_ROWS(options), CLI_JSON | CLI_ISA | CLI_SEED, sizeof(struct args),
                              run};
