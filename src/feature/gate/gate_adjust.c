/* SPDX-License-Identifier: Apache-2.0
 * Corporate actions in a gate. Bars come as they were traded. With the first row behind an action
 * its symbol's state is made anew: the kept rows, adjusted by what is known at that time, run
 * through the empty stream, and the symbol's lanes are taken from there. The rest stays as it was.
 */
#include <math.h>

#include "feature/gate/gate.h"

/* The first of the table's rows of a symbol. */
static size_t first_of(const hy_action *rows, size_t n, const char *symbol) {
  size_t low = 0, high = n;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (strcmp(rows[middle].symbol, symbol) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* out NULL: counts. */
static size_t list_actions(const hy_feature_gate *g, hy__gate_action *out) {
  const hy_action *rows;
  const size_t n = hy_actions_list(g->o.actions, &rows);
  size_t found = 0;
  for (size_t s = 0; s < g->n_symbols; s++) {
    const char *name = g->stream->info.symbols[s];
    for (size_t k = first_of(rows, n, name); k < n && !strcmp(rows[k].symbol, name); k++) {
      if (out) out[found] = (hy__gate_action){.action = &rows[k], .symbol = s};
      found++;
    }
  }
  return found;
}

hy_status hy__gate_actions_bind(hy_feature_gate *g, hy_error *err) {
  const size_t n = list_actions(g, NULL);
  HY_TRY(hy__gate_take(g, n, sizeof *g->actions, &g->actions, err));
  HY_TRY(hy__gate_take(g, g->n_symbols, 1, &g->split, err));
  HY_TRY(hy__gate_take(g, g->n_fields * g->n_symbols, sizeof *g->adjusted, &g->adjusted, err));
  for (size_t k = 0; k < 2; k++) HY_TRY(hy__gate_take(g, g->snapshot_bytes, 1, &g->shots[k], err));
  g->n_actions = list_actions(g, g->actions);
  for (size_t k = 0; k < n; k++)
    HY_FAIL_IF(g->actions[k].action->kind == HY_ACTION_DIVIDEND && g->prices[3] < 0, HY_NOT_FOUND,
               err, "%s: a dividend is held against the field close, which the stream lacks",
               g->actions[k].action->symbol);
  return HY_OK;
}

/* ---- which symbols, and by what ---- */

/* Symbols with an action after the row before, by the row at the cursor. */
static bool find_split(hy_feature_gate *g) {
  const int64_t from_ns = g->rows[g->cursor - 1].time_ns, to_ns = g->rows[g->cursor].time_ns;
  bool any = false;
  memset(g->split, 0, g->n_symbols);
  for (size_t k = 0; k < g->n_actions; k++) {
    const int64_t ex_ns = g->actions[k].action->ex_ns;
    if (ex_ns < from_ns || ex_ns >= to_ns) continue;
    g->split[g->actions[k].symbol] = 1;
    any = true;
  }
  return any;
}

/* The symbol's last close by ex_ns among rows [begin, cursor). */
static double close_before(const hy_feature_gate *g, size_t begin, size_t symbol, int64_t ex_ns) {
  for (size_t i = g->cursor; i-- > begin;) {
    const hy__gate_row *row = &g->rows[i];
    if (row->time_ns > ex_ns || !hy__gate_has(g, row)[symbol]) continue;
    return hy__gate_cells(g, row)[(size_t)g->prices[3] * g->n_symbols + symbol];
  }
  return (double)NAN;
}

static hy_status find_factors(hy_feature_gate *g, size_t begin, hy_error *err) {
  const int64_t now_ns = g->rows[g->cursor].time_ns;
  for (size_t k = g->n_actions; k-- > 0;) {
    hy__gate_action *a = &g->actions[k];
    const bool last = k + 1 == g->n_actions || a[1].symbol != a->symbol;
    const hy__factor later = last ? (hy__factor){1, 0, 1} : a[1].factor;
    double close = (double)NAN;
    a->factor = later;
    if (a->action->ex_ns >= now_ns) continue; /* not yet known */
    if (a->action->kind == HY_ACTION_DIVIDEND)
      close = close_before(g, begin, a->symbol, a->action->ex_ns);
    HY_TRY(hy__action_factor(a->action, close, &a->factor, err));
    const bool first = last || a[1].action->ex_ns >= now_ns;
    if (!first) a->factor = hy__factor_then(a->factor, later);
  }
  return HY_OK;
}

/* ---- the rows ---- */

static void adjust_row(const hy_feature_gate *g, const hy__gate_row *row) {
  const size_t n = g->n_symbols;
  memcpy(g->adjusted, hy__gate_cells(g, row), g->n_fields * n * sizeof *g->adjusted);
  for (size_t k = 0, done = SIZE_MAX; k < g->n_actions; k++) {
    const hy__gate_action *a = &g->actions[k];
    if (a->symbol == done || a->action->ex_ns < row->time_ns) continue;
    done = a->symbol; /* the first action behind the row holds those after it */
    if (a->action->ex_ns >= g->rows[g->cursor].time_ns) continue;
    for (size_t f = 0; f < g->n_fields; f++) {
      double *cell = &g->adjusted[f * n + a->symbol];
      *cell = hy__factor_apply(a->factor, hy__adjusted_of(g->stream->info.fields[f]), *cell);
    }
  }
}

static hy_status feed_adjusted(hy_feature_gate *g, const hy__gate_row *row, hy_error *err) {
  adjust_row(g, row);
  for (size_t k = 0; k < g->n_fields; k++) g->fields[k] = g->adjusted + k * g->n_symbols;
  const hy_bar_row bars = {.struct_size = sizeof bars,
                           .time_ns = row->time_ns,
                           .fields = g->fields,
                           .valid = hy__gate_has(g, row)};
  return hy_feature_stream_update(g->stream, &bars, g->values, NULL, err);
}

hy_status hy__gate_adjust(hy_feature_gate *g, hy_error *err) {
  if (g->cursor == 0 || !find_split(g)) return HY_OK;
  const size_t begin = g->cursor > g->o.n_kept ? g->cursor - g->o.n_kept : 0;
  HY_TRY(find_factors(g, begin, err));
  HY_TRY(hy_feature_stream_snapshot(g->stream, g->shots[0], g->snapshot_bytes, err));
  hy__stream_begin(g->stream);
  for (size_t i = begin; i < g->cursor; i++) HY_TRY(feed_adjusted(g, &g->rows[i], err));
  HY_TRY(hy_feature_stream_snapshot(g->stream, g->shots[1], g->snapshot_bytes, err));
  return hy__stream_merge(g->stream, g->shots[0], g->shots[1], g->split, err);
}
