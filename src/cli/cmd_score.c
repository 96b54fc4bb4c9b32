/* SPDX-License-Identifier: Apache-2.0 */
/* hayate score: the main job, over the public interface. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <hayate/score.h>

#include "cli/cli.h"

typedef struct score_args {
  const char *pipeline, *data, *at, *from, *to, *out, *actions;
  bool last, evaluate, strict, npz;
  int history;
  double symbol_seconds, run_seconds;
  uint64_t limit;
  bool limit_given;
  uint64_t repeat;
} score_args;

enum { TABLE_ROWS = 40, REPEAT_MAX = 100000 };

#define AT(field) offsetof(score_args, field)
static const cli_option options[] = {
    {"PIPELINE", CLI_ARG_PATH, AT(pipeline), CLI_REQUIRED, NULL, 0},
    {"data", CLI_PATH, AT(data), CLI_REQUIRED | CLI_ENV, NULL, 'd'},
    {"last", CLI_FLAG, AT(last), 0, NULL, 0},
    {"at", CLI_TEXT, AT(at), 0, NULL, 0},
    {"from", CLI_TEXT, AT(from), 0, NULL, 0},
    {"to", CLI_TEXT, AT(to), 0, NULL, 0},
    {"actions", CLI_PATH, AT(actions), 0, NULL, 0},
    {"evaluate", CLI_FLAG, AT(evaluate), 0, NULL, 'e'},
    {"out", CLI_PATH, AT(out), 0, NULL, 'o'},
    {"npz", CLI_FLAG, AT(npz), 0, NULL, 0},
    {"history", CLI_CHOICE, AT(history), 0, "full|stable", 0},
    {"strict", CLI_FLAG, AT(strict), 0, NULL, 0},
    {"symbol-time-limit", CLI_SECONDS, AT(symbol_seconds), 0, NULL, 0},
    {"time-limit", CLI_SECONDS, AT(run_seconds), 0, NULL, 0},
    {"limit", CLI_COUNT, AT(limit), CLI_GIVEN, NULL, 'n'},
    {"repeat", CLI_COUNT, AT(repeat), 0, NULL, 0},
};

static uint64_t to_ns(double seconds) { return seconds > 0 ? (uint64_t)(seconds * 1e9) : 0; }

static void describe_run(const hy_score_result *result) {
  hy_score_totals t = {.struct_size = sizeof t};
  hy_score_totals_get(result, &t);
  fprintf(stderr,
          "%zu of %zu symbols in %.1f ms (read %.1f, features %.1f, inference %.1f, write %.1f); "
          "%.0f symbols/s, peak memory %.1f MB (%.1f MB with mapped files)\n",
          t.scored, t.symbols, t.elapsed_ms, t.read_ms, t.features_ms, t.inference_ms, t.write_ms,
          t.symbols_per_s, (double)t.peak_anon_bytes * 1e-6, (double)t.peak_rss_bytes * 1e-6);
}

static hy_status write_answer(const cli_context *cli, const score_args *a, hy_score_result *result,
                              hy_error *err) {
  if (a->out) {
    hy_status status = hy_score_write_folder(result, a->out, a->npz, err);
    if (status != HY_OK) return status;
  }
  hy_sink to_stdout = {cli_sink_write, stdout};
  if (cli->json) return hy_score_write_json(result, &to_stdout, err);
  hy_status status =
      hy_score_write_table(result, a->limit_given ? a->limit : TABLE_ROWS, &to_stdout, err);
  if (status == HY_OK && fflush(stdout) == 0) describe_run(result);
  if (status == HY_OK && a->out) cli_note("wrote %s/report.html and its files", a->out);
  return status;
}

static int answer(const hy_score_result *result, bool strict) {
  hy_score_totals t = {.struct_size = sizeof t};
  hy_score_totals_get(result, &t);
  return t.scored == 0 || (strict && t.failed > 0) ? CLI_NO : CLI_DONE;
}

static int score(const cli_context *cli, const score_args *a, hy_runtime *runtime) {
  hy_error err;
  hy_error_clear(&err);
  hy_pipeline *pipeline = NULL;
  if (hy_pipeline_open(runtime, a->pipeline, &pipeline, &err) != HY_OK) return cli_fail(cli, &err);
  cli_progress bar = cli_progress_start("score");
  hy_score_options o = {.struct_size = sizeof o,
                        .at = a->last ? "last" : a->at,
                        .from = a->from,
                        .to = a->to,
                        .history = a->history == 2 ? HY_HISTORY_STABLE : HY_HISTORY_FULL,
                        .evaluate = a->evaluate,
                        .strict = a->strict,
                        .symbol_limit_ns = to_ns(a->symbol_seconds),
                        .run_limit_ns = to_ns(a->run_seconds),
                        .repeat = (uint32_t)a->repeat,
                        .cancel = cli_cancel(),
                        .progress = cli_progress_update,
                        .progress_ctx = &bar,
                        .actions = a->actions};
  hy_score_result *result = NULL;
  hy_status status = hy_score_run(pipeline, a->data, &o, &result, &err);
  cli_progress_end(&bar);
  if (status == HY_OK) status = write_answer(cli, a, result, &err);
  int exit_status = status == HY_OK ? answer(result, a->strict) : cli_fail(cli, &err);
  hy_score_result_destroy(result);
  hy_pipeline_destroy(pipeline);
  return exit_status;
}

static int run(cli_context *cli, const void *args) {
  const score_args *a = args;
  if (a->last && (a->at || a->from || a->to)) {
    return cli_refuse(cli, "--last excludes --at, --from and --to");
  }
  if (a->npz && !a->out) return cli_refuse(cli, "--npz needs --out DIR");
  if (a->repeat > REPEAT_MAX) return cli_refuse(cli, "--repeat is at most %d", REPEAT_MAX);
  hy_error err;
  hy_error_clear(&err);
  hy_runtime *runtime = NULL;
  if (cli_runtime(cli, &runtime, &err) != HY_OK) return cli_fail(cli, &err);
  cli_interrupt_install();
  int status = score(cli, a, runtime);
  hy_runtime_destroy(runtime);
  return status;
}

const cli_command cmd_score = {CLI_ROWS(options), CLI_JSON | CLI_THREADS | CLI_ISA,
                               sizeof(score_args), run};
