/* SPDX-License-Identifier: Apache-2.0
 * The universe of the commands that compute features. */
#ifndef HY_CLI_UNIVERSE_H
#define HY_CLI_UNIVERSE_H

#include <hayate/adjust.h>

#include "cli/cli.h"

typedef struct cli_universe_args {
  const char *data;
  const char *actions;        /* a table of corporate actions; NULL: prices as they stand */
  const char *at, *from, *to; /* as hy_universe_find_rows has them; all NULL: every row */
} cli_universe_args;

typedef struct cli_universe {
  const hy_universe *bars; /* of the two below, what features are computed of */
  size_t t_begin, t_end;   /* the rows asked for */
  hy_universe *raw, *adjusted;
} cli_universe;

/* Nothing is open after a failure. */
HY_CHECKED hy_status cli_universe_open(hy_runtime *runtime, const cli_universe_args *args,
                                       cli_universe *out, hy_error *err);
void cli_universe_close(cli_universe *u);

#endif
