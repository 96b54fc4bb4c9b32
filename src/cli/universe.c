/* SPDX-License-Identifier: Apache-2.0
 * The universe that a command reads, with the rows that are asked for, and corporate actions where
 * a table of them is given: those that were known at the last of these rows. */
#include "cli/universe.h"

static hy_status adjust(hy_runtime *runtime, cli_universe *u, const char *path, hy_error *err) {
  hy_universe_info info = {.struct_size = sizeof info};
  hy_actions *actions;
  hy_universe_describe(u->raw, &info);
  hy_status status = hy_actions_read(runtime, path, info.zone, &actions, err);
  if (status != HY_OK) return status;
  status =
      hy_universe_adjust(runtime, u->raw, actions, info.time_ns[u->t_end - 1], &u->adjusted, err);
  hy_actions_destroy(actions);
  return status;
}

hy_status cli_universe_open(hy_runtime *runtime, const cli_universe_args *args, cli_universe *out,
                            hy_error *err) {
  *out = (cli_universe){0};
  hy_status status = hy_universe_open(runtime, args->data, &out->raw, err);
  if (status != HY_OK) return status;
  status = hy_universe_find_rows(out->raw, args->at, args->from, args->to, &out->t_begin,
                                 &out->t_end, err);
  if (status == HY_OK && args->actions) status = adjust(runtime, out, args->actions, err);
  out->bars = out->adjusted ? out->adjusted : out->raw;
  if (status != HY_OK) cli_universe_close(out);
  return status;
}

void cli_universe_close(cli_universe *u) {
  hy_universe_destroy(u->adjusted);
  hy_universe_destroy(u->raw);
  *u = (cli_universe){0};
}
