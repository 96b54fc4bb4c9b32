/* SPDX-License-Identifier: Apache-2.0
 * Bars come in: each finds its row, or is a repetition, a correction, late or bad. */
#include "feature/gate/gate.h"

#include <math.h>

enum {
  WAITING = 64,
  WAITING_MAX = 1 << 16,
  KEPT = 256,
  KEPT_MAX = 1 << 20,
  CHECKPOINT_ROWS = 64,
  GATE_BYTES_MAX_LOG2 = 40
};

/* ---- refusals ---- */

/* The error is of this symbol. */
static hy_status of_symbol(const hy_feature_gate *g, size_t symbol, hy_status status,
                           hy_error *err) {
  if (err) hy__error_subject(err, g->stream->info.symbols[symbol]);
  return status;
}

static hy_status check_price(const hy_feature_gate *g, size_t field, double v, hy_error *err) {
  bool price = false;
  for (size_t k = 0; k < HY_COUNT(g->prices); k++) price |= g->prices[k] == (int32_t)field;
  if (v - v == 0.0 || (!price && v != v)) return HY_OK;
  HY_FAIL(HY_BAD_FORMAT, err, "%s is %s", g->stream->info.fields[field],
          v != v ? "not a number" : "infinite");
}

static hy_status check_bar(const hy_feature_gate *g, const double *fields, hy_error *err) {
  const int32_t high = g->prices[1], low = g->prices[2];
  for (size_t k = 0; k < g->n_fields; k++) HY_TRY(check_price(g, k, fields[k], err));
  HY_FAIL_IF(high >= 0 && low >= 0 && fields[high] < fields[low], HY_BAD_FORMAT, err,
             "high %g is below low %g", fields[high], fields[low]);
  return HY_OK;
}

static hy_status fail_late(hy_feature_gate *g, int64_t time_ns, hy_error *err) {
  char bar[40], gone[40];
  const int64_t gone_ns = g->n_gone ? g->rows[g->n_gone - 1].time_ns : g->begin_ns;
  hy__time_format(time_ns, bar);
  hy__time_format(gone_ns, gone);
  g->counts.n_late++;
  HY_FAIL(HY_LATE, err, "a bar of %s after the row of %s%s", bar, gone,
          g->o.late == HY_LATE_REPLAY ? "; so far back no rows are kept" : "");
}

/* ---- rows ---- */

/* The first row that is not before time_ns. */
static size_t find_row(const hy_feature_gate *g, int64_t time_ns) {
  size_t low = 0, high = g->n_rows;
  if (high && g->rows[high - 1].time_ns < time_ns) return high;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (g->rows[middle].time_ns < time_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool is_row(const hy_feature_gate *g, size_t index, int64_t time_ns) {
  return index < g->n_rows && g->rows[index].time_ns == time_ns;
}

static size_t count_reported(const hy_feature_gate *g, int64_t time_ns) {
  size_t n = 0;
  for (size_t k = 0; k < g->n_symbols; k++) n += g->expected[k] && g->last_ns[k] >= time_ns;
  return n;
}

static hy_status insert_row(hy_feature_gate *g, size_t index, int64_t time_ns, hy_error *err) {
  HY_FAIL_IF(g->n_free == 0 || (index >= g->n_gone && g->n_rows - g->n_gone >= g->o.n_waiting),
             HY_LIMIT, err,
             "%zu rows wait already: take those that may go, or close the oldest ones",
             g->n_rows - g->n_gone);
  hy__gate_row *row = g->rows + index;
  memmove(row + 1, row, (g->n_rows - index) * sizeof *row);
  *row = (hy__gate_row){.time_ns = time_ns,
                        .first_ns = g->now_ns,
                        .n_reported = count_reported(g, time_ns),
                        .slot = g->free_slots[--g->n_free]};
  memset(hy__gate_has(g, row), 0, g->n_symbols);
  g->n_rows++;
  g->cursor += index < g->cursor;
  if (g->dirty != HY__GATE_CLEAN && index <= g->dirty) g->dirty++;
  if (index < g->n_gone) g->n_gone++;
  return HY_OK;
}

/* Whether the row holds this very bar. */
static bool holds(const hy_feature_gate *g, const hy__gate_row *row, size_t symbol,
                  const double *fields) {
  const double *cells = hy__gate_cells(g, row);
  for (size_t k = 0; k < g->n_fields; k++)
    if (memcmp(&cells[k * g->n_symbols + symbol], &fields[k], sizeof *fields) != 0) return false;
  return hy__gate_has(g, row)[symbol] != 0;
}

static void put_bar(hy_feature_gate *g, hy__gate_row *row, size_t symbol, const double *fields) {
  uint8_t *has = hy__gate_has(g, row);
  double *cells = hy__gate_cells(g, row);
  for (size_t k = 0; k < g->n_fields; k++) cells[k * g->n_symbols + symbol] = fields[k];
  g->counts.n_corrections += has[symbol];
  row->n_bars += !has[symbol];
  has[symbol] = 1;
  g->counts.n_bars++;
}

/* The symbol has reported for the rows until its bar. */
static void report(hy_feature_gate *g, size_t symbol, int64_t time_ns) {
  const int64_t last_ns = g->last_ns[symbol];
  if (time_ns <= last_ns) return;
  g->last_ns[symbol] = time_ns;
  for (size_t i = g->n_gone; g->expected[symbol] && i < g->n_rows; i++)
    g->rows[i].n_reported += g->rows[i].time_ns > last_ns && g->rows[i].time_ns <= time_ns;
}

/* A bar of a row that has gone, or that would have. */
static hy_status push_late(hy_feature_gate *g, size_t index, size_t symbol, int64_t time_ns,
                           const double *fields, hy_error *err) {
  const bool new_row = !is_row(g, index, time_ns);
  if (!new_row && holds(g, &g->rows[index], symbol, fields)) {
    g->counts.n_duplicates++;
    return HY_OK;
  }
  if (g->o.late != HY_LATE_REPLAY || !hy__gate_reaches(g, index, time_ns))
    return fail_late(g, time_ns, err);
  if (new_row) HY_TRY(insert_row(g, index, time_ns, err));
  put_bar(g, &g->rows[index], symbol, fields);
  g->counts.n_replayed++;
  if (index < g->cursor) g->dirty = HY_MIN(g->dirty, index);
  return HY_OK;
}

static hy_status push_bar(hy_feature_gate *g, size_t symbol, int64_t time_ns, const double *fields,
                          hy_error *err) {
  const hy_status bad = check_bar(g, fields, err);
  g->counts.n_bad += bad != HY_OK;
  HY_TRY(bad);
  const size_t index = find_row(g, time_ns);
  if (time_ns <= g->begin_ns) return fail_late(g, time_ns, err);
  if (index < g->n_gone) return push_late(g, index, symbol, time_ns, fields, err);
  if (!is_row(g, index, time_ns)) HY_TRY(insert_row(g, index, time_ns, err));
  hy__gate_row *row = &g->rows[index];
  if (holds(g, row, symbol, fields))
    g->counts.n_duplicates++;
  else
    put_bar(g, row, symbol, fields);
  report(g, symbol, time_ns);
  return HY_OK;
}

hy_status hy_feature_gate_push(hy_feature_gate *g, size_t symbol, int64_t time_ns,
                               const double *fields, hy_error *err) {
  HY_FAIL_IF(!g || !fields, HY_INVALID_ARGUMENT, err, "a gate and a bar's fields must be given");
  HY_FAIL_IF(symbol >= g->n_symbols, HY_INVALID_ARGUMENT, err,
             "symbol %zu: the stream has %zu, from 0", symbol, g->n_symbols);
  HY_FAIL_IF(time_ns == INT64_MIN, HY_INVALID_ARGUMENT, err, "the bar has no time");
  const hy_status status = push_bar(g, symbol, time_ns, fields, err);
  return status == HY_OK ? HY_OK : of_symbol(g, symbol, status, err);
}

/* ---- the clock, and who is waited for ---- */

hy_status hy_feature_gate_advance(hy_feature_gate *g, int64_t now_ns, hy_error *err) {
  HY_FAIL_IF(!g, HY_INVALID_ARGUMENT, err, "hy_feature_gate_advance: a gate must be given");
  HY_FAIL_IF(now_ns < g->now_ns, HY_LATE, err, "the clock was set back by %lld ns",
             (long long)(g->now_ns - now_ns));
  g->now_ns = now_ns;
  for (size_t i = g->n_gone; i < g->n_rows; i++)
    if (g->rows[i].first_ns == INT64_MIN) g->rows[i].first_ns = now_ns;
  return HY_OK;
}

hy_status hy_feature_gate_close(hy_feature_gate *g, int64_t time_ns, hy_error *err) {
  HY_FAIL_IF(!g, HY_INVALID_ARGUMENT, err, "hy_feature_gate_close: a gate must be given");
  g->close_ns = HY_MAX(g->close_ns, time_ns);
  return HY_OK;
}

hy_status hy_feature_gate_expect(hy_feature_gate *g, const uint8_t *expected, hy_error *err) {
  HY_FAIL_IF(!g, HY_INVALID_ARGUMENT, err, "hy_feature_gate_expect: a gate must be given");
  g->n_expected = 0;
  for (size_t k = 0; k < g->n_symbols; k++) {
    g->expected[k] = !expected || expected[k];
    g->n_expected += g->expected[k];
  }
  for (size_t i = g->n_gone; i < g->n_rows; i++)
    g->rows[i].n_reported = count_reported(g, g->rows[i].time_ns);
  return HY_OK;
}

void hy_feature_gate_describe(const hy_feature_gate *g, hy_feature_gate_info *info) {
  hy_feature_gate_info full = g->counts;
  full.struct_size = info->struct_size;
  full.time_ns = g->n_gone ? g->rows[g->n_gone - 1].time_ns : g->begin_ns;
  full.n_waiting = g->n_rows - g->n_gone;
  full.n_kept = g->n_gone;
  full.memory_bytes = g->memory_bytes;
  memcpy(info, &full, HY_MIN(info->struct_size, sizeof full));
}

/* ---- making one ---- */

static hy_status check_options(const hy_feature_gate_options *o, hy_error *err) {
  const bool quorum = o->barrier == HY_BARRIER_QUORUM;
  HY_FAIL_IF(o->barrier < HY_BARRIER_ALL || o->barrier > HY_BARRIER_QUORUM ||
                 o->late < HY_LATE_REJECT || o->late > HY_LATE_REPLAY,
             HY_INVALID_ARGUMENT, err, "the gate has no such barrier or policy");
  HY_FAIL_IF(quorum && !(o->quorum > 0 && o->quorum <= 1), HY_INVALID_ARGUMENT, err,
             "quorum %g: a share above 0, at most 1, is expected", o->quorum);
  HY_FAIL_IF(!quorum && o->quorum != 0, HY_INVALID_ARGUMENT, err,
             "quorum is given, but the barrier is another");
  HY_FAIL_IF(o->deadline_ns < 0 || (o->barrier == HY_BARRIER_ALL && o->deadline_ns),
             HY_INVALID_ARGUMENT, err,
             "deadline of %lld ns: at least 0 is expected, and a barrier that has one",
             (long long)o->deadline_ns);
  HY_FAIL_IF(o->n_waiting > WAITING_MAX || o->n_kept > KEPT_MAX || o->checkpoint_rows > KEPT_MAX,
             HY_LIMIT, err, "n_waiting is at most %d, n_kept and checkpoint_rows %d", WAITING_MAX,
             KEPT_MAX);
  return HY_OK;
}

hy_status hy__gate_take(hy_feature_gate *g, size_t n, size_t each, void *out, hy_error *err) {
  size_t bytes, all;
  void *memory;
  HY_FAIL_IF(!hy__mul(n, each, &bytes) || !hy__add(g->memory_bytes, bytes, &all) ||
                 all >> GATE_BYTES_MAX_LOG2,
             HY_LIMIT, err, "the gate needs more memory than a machine has");
  g->memory_bytes = all;
  HY_TRY(hy__arena_array(g->arena, n, each, &memory, err));
  memcpy(out, &memory, sizeof memory);
  return HY_OK;
}

static hy_status take_rows(hy_feature_gate *g, hy_error *err) {
  size_t cells, values;
  HY_FAIL_IF(!hy__mul(g->n_fields, g->n_symbols, &cells) || !hy__mul(cells, g->capacity, &cells) ||
                 !hy__mul(g->n_symbols, g->n_features, &values),
             HY_LIMIT, err, "the gate needs more memory than a machine has");
  HY_TRY(hy__gate_take(g, g->n_symbols, 1, &g->expected, err));
  HY_TRY(hy__gate_take(g, g->n_symbols, sizeof *g->last_ns, &g->last_ns, err));
  HY_TRY(hy__gate_take(g, g->capacity, sizeof *g->rows, &g->rows, err));
  HY_TRY(hy__gate_take(g, g->capacity, sizeof *g->free_slots, &g->free_slots, err));
  HY_TRY(hy__gate_take(g, cells, sizeof *g->cells, &g->cells, err));
  HY_TRY(hy__gate_take(g, g->capacity, g->n_symbols, &g->has, err));
  HY_TRY(hy__gate_take(g, g->n_fields, sizeof *g->fields, &g->fields, err));
  HY_TRY(hy__gate_take(g, values, sizeof *g->values, &g->values, err));
  HY_TRY(hy__gate_take(g, values, 1, &g->valid, err));
  HY_TRY(hy__gate_take(g, g->n_symbols, sizeof *g->missing, &g->missing, err));
  for (size_t k = 0; k < g->n_symbols; k++) g->last_ns[k] = g->begin_ns;
  for (; g->n_free < g->capacity; g->n_free++) g->free_slots[g->n_free] = (uint32_t)g->n_free;
  return HY_OK;
}

static hy_status take_checkpoints(hy_feature_gate *g, hy_error *err) {
  if (g->o.late != HY_LATE_REPLAY) return HY_OK;
  g->checkpoints_max = g->capacity / g->o.checkpoint_rows + 2;
  HY_TRY(hy__gate_take(g, g->checkpoints_max, sizeof *g->checkpoints, &g->checkpoints, err));
  for (size_t k = 0; k < g->checkpoints_max; k++)
    HY_TRY(hy__gate_take(g, g->snapshot_bytes, 1, &g->checkpoints[k].data, err));
  return hy__gate_checkpoint_take(g, g->begin_ns, err);
}

static hy_status make(hy_feature_gate *g, hy_error *err) {
  static const char *const prices[] = {"open", "high", "low", "close"};
  hy_feature_stream_info info = {.struct_size = sizeof info};
  hy_feature_stream_describe(g->stream, &info);
  g->n_symbols = info.n_symbols;
  g->n_features = info.n_features;
  g->n_fields = g->stream->info.n_fields;
  g->snapshot_bytes = info.snapshot_bytes;
  g->begin_ns = g->stream->closed_ns;
  g->now_ns = g->close_ns = INT64_MIN;
  g->dirty = HY__GATE_CLEAN;
  if (!g->o.n_waiting) g->o.n_waiting = WAITING;
  if (!g->o.n_kept) g->o.n_kept = KEPT;
  if (!g->o.checkpoint_rows) g->o.checkpoint_rows = CHECKPOINT_ROWS;
  g->capacity =
      g->o.n_waiting + g->o.n_kept + g->o.checkpoint_rows + (g->o.actions ? g->o.n_kept : 0);
  for (size_t k = 0; k < HY_COUNT(prices); k++)
    g->prices[k] = hy__universe_field(g->stream->universe, prices[k]);
  HY_TRY(hy__arena_create(g->allocator, 0, 0, &g->arena, err));
  HY_TRY(take_rows(g, err));
  HY_TRY(hy_feature_gate_expect(g, g->o.expected, err));
  if (g->o.actions) HY_TRY(hy__gate_actions_bind(g, err));
  return take_checkpoints(g, err);
}

hy_status hy_feature_gate_create(hy_feature_stream *stream, const hy_feature_gate_options *options,
                                 hy_feature_gate **out, hy_error *err) {
  HY_FAIL_IF(!stream || !options || !out || options->struct_size < sizeof *options,
             HY_INVALID_ARGUMENT, err,
             "hy_feature_gate_create: a stream, options with struct_size, and out");
  void *memory;
  HY_TRY(check_options(options, err));
  HY_TRY(hy__alloc_zero(stream->allocator, sizeof(hy_feature_gate), &memory, err));
  hy_feature_gate *g = memory;
  g->stream = stream;
  g->allocator = stream->allocator;
  g->o = *options;
  const hy_status status = make(g, err);
  g->o.expected = NULL; /* the caller's */
  if (status != HY_OK) {
    hy_feature_gate_destroy(g);
    return status;
  }
  hy__arena_freeze(g->arena);
  *out = g;
  return HY_OK;
}

void hy_feature_gate_destroy(hy_feature_gate *g) {
  if (!g) return;
  hy__arena_destroy(g->arena);
  hy__free(g->allocator, g, sizeof *g);
}
