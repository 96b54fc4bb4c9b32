/* SPDX-License-Identifier: Apache-2.0
 * hayate import: files of other tools into a universe file. */
#include <hayate/market.h>

#include "cli/cli.h"

struct args {
  const char *output, *dialect, *timeframe, *zone, *calendar, *symbol, *bars;
  int stamp, date_order, remainder;
  bool compress;
  cli_list files;
};

static const cli_option options[] = {
    {"output", CLI_PATH, offsetof(struct args, output), CLI_REQUIRED, NULL, 'o'},
    {"dialect", CLI_TEXT, offsetof(struct args, dialect), 0, NULL, 0},
    {"timeframe", CLI_TEXT, offsetof(struct args, timeframe), 0, NULL, 0},
    {"zone", CLI_TEXT, offsetof(struct args, zone), 0, NULL, 0},
    {"stamp", CLI_CHOICE, offsetof(struct args, stamp), 0, "open|close", 0},
    {"calendar", CLI_TEXT, offsetof(struct args, calendar), 0, NULL, 0},
    {"date-order", CLI_CHOICE, offsetof(struct args, date_order), 0, "dmy|mdy", 0},
    {"symbol", CLI_TEXT, offsetof(struct args, symbol), 0, NULL, 0},
    {"bars", CLI_TEXT, offsetof(struct args, bars), 0, NULL, 0},
    {"remainder", CLI_CHOICE, offsetof(struct args, remainder), 0, "whole|carry", 0},
    {"compress", CLI_FLAG, offsetof(struct args, compress), 0, NULL, 0},
    {"FILES", CLI_ARG_REST, offsetof(struct args, files), CLI_REQUIRED, NULL, 0},
};

static hy_status import(const cli_context *cli, const struct args *args, hy_runtime *runtime,
                        hy_error *err) {
  static const char *const orders[] = {NULL, "dmy", "mdy"};
  cli_progress bar = cli_progress_start("import");
  const hy_import_options o = {.struct_size = sizeof o,
                               .paths = args->files.items,
                               .n_paths = args->files.n,
                               .output = args->output,
                               .dialect = args->dialect,
                               .timeframe = args->timeframe,
                               .zone = args->zone,
                               .calendar = args->calendar,
                               .stamp = (hy_stamp)args->stamp,
                               .symbol = args->symbol,
                               .compress = args->compress,
                               .progress = cli_progress_update,
                               .progress_ctx = &bar,
                               .date_order = orders[args->date_order],
                               .bars = args->bars,
                               .carry = args->remainder == 2};
  hy_import_report *report = NULL;
  hy_status status = hy_universe_import(runtime, &o, &report, err);
  cli_progress_end(&bar);
  if (status != HY_OK) return status;
  const hy_sink sink = {.write = cli_sink_write, .ctx = stdout};
  status = cli->json ? hy_import_report_json(report, &sink, err)
                     : hy_import_report_text(report, &sink, err);
  hy_import_report_destroy(report);
  return status;
}

static int run(cli_context *cli, const void *args) {
  hy_runtime *runtime = NULL;
  hy_error err;
  cli_interrupt_install();
  if (cli_runtime(cli, &runtime, &err) != HY_OK) return cli_fail(cli, &err);
  const hy_status status = import(cli, args, runtime, &err);
  hy_runtime_destroy(runtime);
  return status == HY_OK ? CLI_DONE : cli_fail(cli, &err);
}

const cli_command cmd_import = {CLI_ROWS(options), .common = CLI_JSON,
                                .args_bytes = sizeof(struct args), .run = run};
