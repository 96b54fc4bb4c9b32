/* SPDX-License-Identifier: Apache-2.0
 * hayate gen: a deterministic synthetic universe. */
#include <hayate/market.h>

#include "cli/cli.h"

struct args {
  const char *output, *timeframe;
  uint64_t n_symbols, n_bars;
};

static const cli_option options[] = {
    {"output", CLI_PATH, offsetof(struct args, output), CLI_REQUIRED, NULL, 'o'},
    {"symbols", CLI_COUNT, offsetof(struct args, n_symbols), 0, NULL, 0},
    {"bars", CLI_COUNT, offsetof(struct args, n_bars), 0, NULL, 0},
    {"timeframe", CLI_TEXT, offsetof(struct args, timeframe), 0, NULL, 0},
};

static void report(const cli_context *cli, const struct args *args, const hy_universe_info *info,
                   double elapsed_ms) {
  if (!cli->json) {
    cli_note("%s: %zu symbols x %zu bars of %s in %.0f ms", args->output, info->n_symbols,
             info->n_bars, info->timeframe, elapsed_ms);
    return;
  }
  cli_json j = cli_json_start(stdout);
  cli_json_text(&j, "output", args->output);
  cli_json_count(&j, "symbols", info->n_symbols);
  cli_json_count(&j, "bars", info->n_bars);
  cli_json_text(&j, "timeframe", info->timeframe);
  cli_json_text(&j, "source", info->source);
  cli_json_real(&j, "elapsed_ms", elapsed_ms);
  cli_json_end(&j);
}

/* What was written is what is reported: the file is opened again. */
static hy_status generate(const cli_context *cli, const struct args *args, hy_runtime *runtime,
                          hy_error *err) {
  const int64_t start_ns = cli_now_ns();
  cli_progress bar = cli_progress_start("gen");
  const hy_generate_options o = {.struct_size = sizeof o,
                                 .n_symbols = args->n_symbols,
                                 .n_bars = args->n_bars,
                                 .timeframe = args->timeframe,
                                 .seed = cli->seed,
                                 .output = args->output,
                                 .progress = cli_progress_update,
                                 .progress_ctx = &bar};
  hy_status status = hy_universe_generate(runtime, &o, err);
  cli_progress_end(&bar);
  if (status != HY_OK) return status;
  const double elapsed_ms = (double)(cli_now_ns() - start_ns) / 1e6;
  hy_universe *u;
  status = hy_universe_open(runtime, args->output, &u, err);
  if (status != HY_OK) return status;
  hy_universe_info info = {.struct_size = sizeof info};
  hy_universe_describe(u, &info);
  report(cli, args, &info, elapsed_ms);
  hy_universe_destroy(u);
  return HY_OK;
}

static int run(cli_context *cli, const void *args) {
  hy_runtime *runtime = NULL;
  hy_error err;
  cli_interrupt_install();
  if (cli->seed_given && cli->seed == 0) return cli_refuse(cli, "--seed: expected 1 or more");
  if (cli_runtime(cli, &runtime, &err) != HY_OK) return cli_fail(cli, &err);
  const hy_status status = generate(cli, args, runtime, &err);
  hy_runtime_destroy(runtime);
  return status == HY_OK ? CLI_DONE : cli_fail(cli, &err);
}

const cli_command cmd_gen = {CLI_ROWS(options), .common = CLI_JSON | CLI_THREADS | CLI_SEED,
                             .args_bytes = sizeof(struct args), .run = run};
