/* SPDX-License-Identifier: Apache-2.0
 * Rows go out: when the barrier lets them, or again after a correction, from the newest checkpoint
 * before it. The stream sees the same rows in the same order as if the correction had come in time,
 * so the values are the same bits. */
#include "feature/gate/gate.h"

/* ---- checkpoints ---- */

hy_status hy__gate_checkpoint_take(hy_feature_gate *g, int64_t time_ns, hy_error *err) {
  HY_ASSERT(g->n_checkpoints < g->checkpoints_max);
  hy__gate_checkpoint *c = &g->checkpoints[g->n_checkpoints];
  HY_TRY(hy_feature_stream_snapshot(g->stream, c->data, g->snapshot_bytes, err));
  c->time_ns = time_ns;
  g->n_checkpoints++;
  g->since = 0;
  return HY_OK;
}

bool hy__gate_reaches(const hy_feature_gate *g, size_t index, int64_t time_ns) {
  return index + g->o.n_kept >= g->n_gone && time_ns > g->checkpoints[0].time_ns;
}

/* The oldest rows are given up. */
static void drop_rows(hy_feature_gate *g, size_t n) {
  for (size_t i = 0; i < n; i++) g->free_slots[g->n_free++] = g->rows[i].slot;
  memmove(g->rows, g->rows + n, (g->n_rows - n) * sizeof *g->rows);
  g->n_rows -= n;
  g->n_gone -= n;
  g->cursor -= n;
}

static void drop_checkpoint(hy_feature_gate *g) {
  hy__gate_checkpoint first = g->checkpoints[0];
  g->n_checkpoints--;
  memmove(g->checkpoints, g->checkpoints + 1, g->n_checkpoints * sizeof first);
  g->checkpoints[g->n_checkpoints] = first;
}

static size_t rows_until(const hy_feature_gate *g, int64_t time_ns) {
  size_t n = 0;
  while (n < g->n_gone && g->rows[n].time_ns <= time_ns) n++;
  return n;
}

/* Keeps n_kept rows, and those back to the checkpoint before them; of actions' symbols as many
 * again, from which one begins anew. */
static void trim(hy_feature_gate *g) {
  const size_t more = g->n_actions ? g->o.n_kept : 0;
  if (g->o.late == HY_LATE_REJECT && g->n_gone > g->o.n_kept) drop_rows(g, g->n_gone - g->o.n_kept);
  while (g->n_checkpoints > 1) {
    const size_t n = rows_until(g, g->checkpoints[1].time_ns);
    if (g->n_gone - n < g->o.n_kept) return;
    drop_checkpoint(g);
    if (n > more) drop_rows(g, n - more);
  }
}

/* The stream goes back to before the oldest row that was changed. */
static hy_status rewind_stream(hy_feature_gate *g, hy_error *err) {
  while (g->checkpoints[g->n_checkpoints - 1].time_ns >= g->rows[g->dirty].time_ns)
    g->n_checkpoints--;
  const hy__gate_checkpoint *c = &g->checkpoints[g->n_checkpoints - 1];
  HY_TRY(hy_feature_stream_restore(g->stream, c->data, g->snapshot_bytes, err));
  g->cursor = rows_until(g, c->time_ns);
  g->again = g->dirty;
  g->dirty = HY__GATE_CLEAN;
  g->since = 0;
  return HY_OK;
}

/* ---- rows ---- */

static hy_status feed_row(hy_feature_gate *g, hy_error *err) {
  if (g->n_actions) HY_TRY(hy__gate_adjust(g, err));
  const hy__gate_row *row = &g->rows[g->cursor];
  const double *cells = hy__gate_cells(g, row);
  for (size_t k = 0; k < g->n_fields; k++) g->fields[k] = cells + k * g->n_symbols;
  const hy_bar_row bars = {.struct_size = sizeof bars,
                           .time_ns = row->time_ns,
                           .fields = g->fields,
                           .valid = hy__gate_has(g, row)};
  HY_TRY(hy_feature_stream_update(g->stream, &bars, g->values, g->valid, err));
  g->cursor++;
  if (g->o.late != HY_LATE_REPLAY || ++g->since < g->o.checkpoint_rows) return HY_OK;
  return hy__gate_checkpoint_take(g, row->time_ns, err);
}

static void answer_row(hy_feature_gate *g, const hy__gate_row *row, hy_gate_row *out) {
  const uint8_t *has = hy__gate_has(g, row);
  hy_gate_row full = {.struct_size = out->struct_size,
                      .time_ns = row->time_ns,
                      .revision = row->revision,
                      .n_bars = row->n_bars,
                      .missing = g->missing,
                      .values = g->values,
                      .valid = g->valid};
  for (size_t k = 0; k < g->n_symbols; k++)
    if (g->expected[k] && !has[k]) g->missing[full.n_missing++] = k;
  memcpy(out, &full, HY_MIN(out->struct_size, sizeof full));
}

/* A row that had gone, again. Those between the checkpoint and the correction give nothing new. */
static hy_status next_again(hy_feature_gate *g, hy_gate_row *out, hy_error *err) {
  while (g->cursor < g->again) HY_TRY(feed_row(g, err));
  HY_TRY(feed_row(g, err));
  hy__gate_row *row = &g->rows[g->cursor - 1];
  row->revision++;
  g->counts.n_revisions++;
  answer_row(g, row, out);
  return HY_OK;
}

/* ---- the barrier ---- */

static bool is_due(const hy_feature_gate *g, const hy__gate_row *row) {
  const int64_t from_ns = g->o.deadline_from_first ? row->first_ns : row->time_ns;
  const bool has = g->o.barrier == HY_BARRIER_DEADLINE ||
                   (g->o.barrier == HY_BARRIER_QUORUM && g->o.deadline_ns > 0);
  int64_t due_ns;
  if (!has || g->now_ns == INT64_MIN || from_ns == INT64_MIN) return false;
  return hy__add_i64(from_ns, g->o.deadline_ns, &due_ns) && g->now_ns >= due_ns;
}

static bool is_ready(const hy_feature_gate *g, const hy__gate_row *row) {
  const double share = g->o.barrier == HY_BARRIER_QUORUM ? g->o.quorum : 1.0;
  return row->time_ns <= g->close_ns || (double)row->n_reported >= share * (double)g->n_expected ||
         is_due(g, row);
}

/* The oldest waiting row goes when it may, or when one behind it may. */
static bool may_go(const hy_feature_gate *g) {
  for (size_t i = g->n_gone; i < g->n_rows; i++)
    if (is_ready(g, &g->rows[i])) return true;
  return false;
}

static hy_status next_new(hy_feature_gate *g, hy_gate_row *out, hy_error *err) {
  HY_TRY(feed_row(g, err));
  g->n_gone = g->cursor;
  g->counts.n_rows++;
  answer_row(g, &g->rows[g->cursor - 1], out);
  trim(g);
  return HY_OK;
}

hy_status hy_feature_gate_next(hy_feature_gate *g, hy_gate_row *row, bool *has, hy_error *err) {
  HY_FAIL_IF(!g || !row || !has, HY_INVALID_ARGUMENT, err,
             "hy_feature_gate_next: a gate, a row and has must be given");
  if (g->dirty < g->cursor) HY_TRY(rewind_stream(g, err));
  const bool again = g->cursor < g->n_gone;
  *has = again || may_go(g);
  if (!*has) return HY_OK;
  return again ? next_again(g, row, err) : next_new(g, row, err);
}
