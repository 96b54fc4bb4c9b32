/* SPDX-License-Identifier: Apache-2.0
 * hayate bench: how fast a model runs, beside ONNX Runtime where its library is found. */
#include <stdlib.h>
#include <unistd.h>

#include <hayate/bench.h>

#include "cli/cli.h"

enum { INPUTS_MAX = 64 };

struct args {
  const char *model, *input, *peer_library;
  cli_list shapes;
  uint64_t batch, rows, runs;
  double seconds;
  int peer, precision;
  bool peer_spins;
};

#define AT(field) offsetof(struct args, field)
static const cli_option options[] = {
    {"MODEL", CLI_ARG_PATH, AT(model), CLI_REQUIRED, NULL, 0},
    {"batch", CLI_COUNT, AT(batch), 0, NULL, 'b'},
    {"shape", CLI_LIST, AT(shapes), 0, NULL, 0},
    {"input", CLI_PATH, AT(input), 0, NULL, 'i'},
    {"rows", CLI_COUNT, AT(rows), 0, NULL, 0},
    {"runs", CLI_COUNT, AT(runs), 0, NULL, 0},
    {"seconds", CLI_SECONDS, AT(seconds), 0, NULL, 0},
    {"precision", CLI_CHOICE, AT(precision), 0, CLI_PRECISIONS, 0},
    {"peer", CLI_CHOICE, AT(peer), 0, "onnxruntime", 0},
    {"peer-library", CLI_PATH, AT(peer_library), 0, NULL, 0},
    {"peer-spins", CLI_FLAG, AT(peer_spins), 0, NULL, 0},
};

static hy_status inputs_list(const hy_arrays *file, const char **names, hy_tensor *tensors,
                             hy_bench_options *o) {
  o->n_inputs = hy_arrays_n(file) < INPUTS_MAX ? hy_arrays_n(file) : INPUTS_MAX;
  for (size_t i = 0; i < o->n_inputs; i++) {
    names[i] = hy_arrays_name(file, i);
    tensors[i] = *hy_arrays_at(file, i);
  }
  o->input_names = names;
  o->inputs = tensors;
  return HY_OK;
}

static int report(const cli_context *cli, const hy_bench *bench, hy_error *err) {
  hy_sink to_stdout = {cli_sink_write, stdout};
  hy_status status = cli->json
                         ? hy_bench_write_json(bench, &to_stdout, err)
                         : hy_bench_write_text(bench, isatty(STDOUT_FILENO) != 0, &to_stdout, err);
  if (status != HY_OK) return cli_fail(cli, err);
  if (hy_bench_agrees(bench)) return CLI_DONE;
  cli_note("the peer's outputs are not ours");
  return CLI_NO;
}

static int bench_with(const cli_context *cli, const struct args *a, hy_runtime *runtime,
                      const char *peer) {
  hy_error err;
  const char *names[INPUTS_MAX];
  hy_tensor tensors[INPUTS_MAX];
  hy_arrays *file = NULL;
  hy_bench *bench = NULL;
  cli_progress bar = cli_progress_start("bench");
  hy_bench_options o = {.struct_size = sizeof o,
                        .n_threads = cli->n_threads,
                        .batch = a->batch,
                        .shapes = a->shapes.items,
                        .n_shapes = a->shapes.n,
                        .rows = a->rows,
                        .runs = a->runs,
                        .seconds = a->seconds,
                        .seed = cli->seed,
                        .peer = peer,
                        .precision = cli_precision(a->precision),
                        .peer_spins = a->peer_spins,
                        .progress = cli_progress_update,
                        .progress_ctx = &bar};
  hy_status status = a->input ? hy_arrays_read(runtime, a->input, &file, &err) : HY_OK;
  if (status == HY_OK && file) status = inputs_list(file, names, tensors, &o);
  if (status == HY_OK) status = hy_bench_run(runtime, a->model, &o, &bench, &err);
  cli_progress_end(&bar);
  int exit_status = status == HY_OK ? report(cli, bench, &err) : cli_fail(cli, &err);
  hy_bench_destroy(bench);
  hy_arrays_destroy(file);
  return exit_status;
}

static int run(cli_context *cli, const void *args) {
  const struct args *a = args;
  char line[CLI_PEER_BYTES];
  const char *peer = NULL;
  if (!cli->n_threads) cli->n_threads = 1; /* latency; more are asked for */
  if (a->peer || a->peer_library) {
    peer = cli_peer_find(a->peer_library, line, sizeof line);
    if (!peer)
      return cli_refuse(cli, "the library of onnxruntime is not found: name libonnxruntime.so with "
                             "--peer-library or HAYATE_ONNXRUNTIME, or install the Python package");
    (void)setenv("ORT_DISABLE_TELEMETRY", "1", 1);
  }
  hy_error err;
  hy_runtime *runtime = NULL;
  if (cli_runtime(cli, &runtime, &err) != HY_OK) return cli_fail(cli, &err);
  cli_interrupt_install();
  int status = bench_with(cli, a, runtime, peer);
  hy_runtime_destroy(runtime);
  return status;
}

const cli_command cmd_bench = {CLI_ROWS(options), CLI_JSON | CLI_THREADS | CLI_ISA | CLI_SEED,
                               sizeof(struct args), run};
