/* SPDX-License-Identifier: Apache-2.0
 * What the commands that check features share: open, run one check, print its report. */
#ifndef HY_CLI_FEATURES_CHECK_H
#define HY_CLI_FEATURES_CHECK_H

#include <hayate/feature_check.h>

#include "cli/universe.h"

/* The arguments that all of them begin with. */
typedef struct cli_check_args {
  const char *spec, *fit;
  cli_universe_args universe;
} cli_check_args;

#define CLI_CHECK_ROWS(type)                                                                       \
  {"SPEC", CLI_ARG_PATH, offsetof(type, check.spec), CLI_REQUIRED, NULL, 0},                       \
      {"data", CLI_PATH, offsetof(type, check.universe.data), CLI_REQUIRED, NULL, 'd'},            \
      {"actions", CLI_PATH, offsetof(type, check.universe.actions), 0, NULL, 0}, {                 \
    "fit", CLI_PATH, offsetof(type, check.fit), 0, NULL, 0                                         \
  }

/* Returns the exit status: CLI_NO when the check found something. */
int cli_features_check(const cli_context *cli, const cli_check_args *args, hy_check_kind kind,
                       hy_features_check_options *options);

/* Of the checks that look at points that are drawn. */
typedef struct cli_points_args {
  cli_check_args check;
  uint64_t points;
} cli_points_args;

#define CLI_POINTS_ROWS                                                                            \
  CLI_CHECK_ROWS(cli_points_args), {                                                               \
    "points", CLI_COUNT, offsetof(cli_points_args, points), 0, NULL, 0                             \
  }
int cli_points_check(const cli_context *cli, const cli_points_args *args, hy_check_kind kind);

#endif
