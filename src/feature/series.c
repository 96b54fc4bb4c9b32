/* SPDX-License-Identifier: Apache-2.0
 * hy_features_compute_series: one symbol's bars in plain arrays, for callers whose series are short
 * and many. The arrays are a panel of one column; the caller's thread alone works on it, so calls
 * need neither the pool nor a lock.
 *
 * A value of a window depends on its window alone, so a program of windows takes eight pieces of
 * the series side by side, one in each lane, each with the history in front that its first row
 * reads: the same bits in about an eighth of the time. */
#include <math.h>

#include "feature/run.h"

enum { PIECES_FROM = 256, PIECES_PAY = 3, SLAB_ROWS = 2048 };

static const int64_t step_ns = 1000000000;

static hy_status run_stages(hy__feature_run *run, const hy__sink_plan *sink, void *workspace,
                            hy_error *err) {
  const uint32_t n_stages = hy__feature_run_n_stages(run);
  for (uint32_t stage = 0; stage < n_stages; stage++) {
    hy__exec_job job = {.stage = stage, .workspace = workspace, .sink = *sink};
    HY_TRY(hy__exec_block(run, &job, err));
    HY_TRY(hy__feature_run_cross(run, stage, 0, hy__feature_run_cross_rows(run, stage), workspace,
                                 err));
  }
  return HY_OK;
}

static hy_status compute(const hy_features *f, const hy_panel *panel, double *const *out,
                         hy_error *err) {
  hy_universe *universe;
  hy__feature_run *run;
  void *workspace;
  const hy__feature_range range = {.t_end = panel->n_bars};
  const hy__sink_plan sink = {.columns = out};
  HY_TRY(hy_universe_from_panel(f->runtime, panel, &universe, err));
  hy_status status = hy__feature_run_create(f, universe, range, &run, err);
  if (status == HY_OK) {
    const size_t bytes = hy__feature_run_workspace_bytes(run);
    status = hy__alloc(f->allocator, bytes, &workspace, err);
    if (status == HY_OK) {
      status = run_stages(run, &sink, workspace, err);
      hy__free(f->allocator, workspace, bytes);
    }
    hy__feature_run_destroy(run);
  }
  hy_universe_destroy(universe);
  return status;
}

/* ---- eight pieces side by side ---- */

/* Rows in front of a piece that its values stand on; false when a piece cannot stand alone. */
static bool rows_behind(const hy_features *f, size_t *rows, size_t *out) {
  bool whole = f->n_domains != 1 || f->n_stages != 1 || f->gaps[0].fill != HY__GAP_NONE ||
               f->gaps[0].reset_after_ns != 0;
  *out = 0;
  for (size_t i = f->n_nodes; i-- > 0;) {
    const hy__node *n = &f->nodes[i];
    whole |= hy__node_recurs(n) ||
             (n->kind != HY__NODE_FIELD && n->kind != HY__NODE_NUMBER && n->kind != HY__NODE_IND);
    *out = HY_MAX(*out, rows[i]);
    if (n->kind != HY__NODE_IND) continue;
    const size_t back = rows[i] + HY_MAX(n->history, n->own_lookback);
    for (size_t k = 0; k < n->n_in; k++) rows[n->in[k].node] = HY_MAX(rows[n->in[k].node], back);
  }
  return !whole;
}

/* Eight pieces of `rows` rows from row `begin` on, `behind` rows before each. */
typedef struct pieces {
  size_t n, begin, rows, behind;
} pieces;

/* The first row that piece `lane` is given, and whether all of them exist. */
static bool piece_whole(const pieces *p, size_t lane, size_t *first) {
  const size_t begin = p->begin + lane * p->rows;
  *first = begin - p->behind;
  return begin >= p->behind && begin + p->rows <= p->n;
}

static void lay_out(const pieces *p, const double *from, double *to) {
  const double *piece[HY_LANES] = {NULL};
  size_t n_whole = 0, first;
  for (size_t lane = 0; lane < HY_LANES; lane++)
    if (piece_whole(p, lane, &first)) piece[lane] = from + first, n_whole++;
  if (n_whole == HY_LANES) {
    for (size_t r = 0; r < p->behind + p->rows; r++)
      for (size_t lane = 0; lane < HY_LANES; lane++) to[r * HY_LANES + lane] = piece[lane][r];
    return;
  }
  for (size_t lane = 0; lane < HY_LANES; lane++)
    for (size_t r = 0; r < p->behind + p->rows; r++) {
      const size_t at = p->begin + lane * p->rows + r; /* `behind` rows further on */
      const bool there = at >= p->behind && at - p->behind < p->n;
      to[r * HY_LANES + lane] = there ? from[at - p->behind] : (double)NAN;
    }
}

static void put_back(const pieces *p, const double *from, double *to) {
  const size_t left = p->n - p->begin, step = p->rows;
  from += p->behind * HY_LANES;
  to += p->begin;
  if (left >= HY_LANES * step) {
    for (size_t r = 0; r < step; r++)
      for (size_t lane = 0; lane < HY_LANES; lane++)
        to[lane * step + r] = from[r * HY_LANES + lane];
    return;
  }
  for (size_t lane = 0; lane * step < left; lane++)
    for (size_t r = 0; r < HY_MIN(step, left - lane * step); r++)
      to[lane * step + r] = from[r * HY_LANES + lane];
}

/* The pieces' columns, in `arena`. */
typedef struct lanes_room {
  int64_t *time_ns;
  double **data, **columns;
} lanes_room;

static hy_status take_room(const hy_features *f, size_t n_fields, size_t rows, hy__arena *arena,
                           lanes_room *room, hy_error *err) {
  void *memory;
  const size_t n = n_fields + f->n_features;
  HY_TRY(hy__arena_array(arena, rows, sizeof(int64_t), &memory, err));
  room->time_ns = memory;
  for (size_t t = 0; t < rows; t++) room->time_ns[t] = (int64_t)t * step_ns;
  HY_TRY(hy__arena_array(arena, n, sizeof(double *), &memory, err));
  room->data = memory;
  room->columns = room->data + n_fields;
  for (size_t k = 0; k < n; k++) {
    HY_TRY(hy__arena_array(arena, rows * HY_LANES, sizeof(double), &memory, err));
    room->data[k] = memory;
  }
  return HY_OK;
}

static hy_status compute_slab(const hy_features *f, const hy_series *series, const pieces *p,
                              const lanes_room *room, hy_error *err) {
  static const char *const names[HY_LANES] = {"0", "1", "2", "3", "4", "5", "6", "7"};
  for (size_t k = 0; k < series->n_fields; k++) lay_out(p, series->data[k], room->data[k]);
  const hy_panel panel = {.struct_size = sizeof panel,
                          .n_bars = p->behind + p->rows,
                          .n_symbols = HY_LANES,
                          .n_fields = series->n_fields,
                          .time_ns = room->time_ns,
                          .symbols = names,
                          .fields = series->fields,
                          .data = (const double *const *)room->data};
  return compute(f, &panel, room->columns, err);
}

/* A long series goes by slabs that stay in the cache. */
static hy_status compute_pieces(const hy_features *f, const hy_series *series, pieces p,
                                double *const *out, hy_error *err) {
  hy__arena *arena;
  lanes_room room;
  HY_TRY(hy__arena_create(f->allocator, 16384, 0, &arena, err));
  hy_status status = take_room(f, series->n_fields, p.behind + p.rows, arena, &room, err);
  for (p.begin = 0; p.begin < p.n && status == HY_OK; p.begin += p.rows * HY_LANES) {
    status = compute_slab(f, series, &p, &room, err);
    for (size_t i = 0; i < f->n_features && status == HY_OK; i++)
      put_back(&p, room.columns[i], out[i]);
  }
  hy__arena_destroy(arena);
  return status;
}

/* ---- in one piece ---- */

/* Bars without times are a second apart, which no spec may ask about. */
static hy_status compute_untimed(const hy_features *f, hy_panel *panel, double *const *out,
                                 hy_error *err) {
  for (size_t i = 0; i < f->n_nodes; i++)
    HY_FAIL_IF(f->nodes[i].kind == HY__NODE_CLOCK && strcmp(f->nodes[i].name, "@bar") != 0,
               HY_INVALID_ARGUMENT, err, "the spec reads the clock %s: time_ns must be given",
               f->nodes[i].name);
  HY_FAIL_IF(f->n_timeframes > 1, HY_INVALID_ARGUMENT, err,
             "the spec has bars of %s: time_ns must be given", f->timeframes[1].name);
  size_t bytes;
  void *memory;
  HY_FAIL_IF(!hy__mul(panel->n_bars, sizeof(int64_t), &bytes), HY_LIMIT, err,
             "a series of %zu bars is too long", panel->n_bars);
  HY_TRY(hy__alloc(f->allocator, bytes, &memory, err));
  int64_t *time_ns = memory;
  for (size_t t = 0; t < panel->n_bars; t++) time_ns[t] = (int64_t)t * step_ns;
  panel->time_ns = time_ns;
  hy_status status = compute(f, panel, out, err);
  hy__free(f->allocator, memory, bytes);
  return status;
}

/* How the series is cut; p->rows 0: not at all, or it would not pay. */
static hy_status cut(const hy_features *f, const hy_series *series, pieces *p, hy_error *err) {
  void *rows;
  *p = (pieces){.n = series->n_bars};
  if (series->n_bars < PIECES_FROM) return HY_OK;
  HY_TRY(hy__alloc_zero(f->allocator, f->n_nodes * sizeof(size_t), &rows, err));
  const bool apart = rows_behind(f, rows, &p->behind);
  hy__free(f->allocator, rows, f->n_nodes * sizeof(size_t));
  const size_t each = (p->n + HY_LANES - 1) / HY_LANES;
  if (apart && p->behind < p->n && (p->behind + each) * PIECES_PAY < p->n)
    p->rows = HY_MIN(each, HY_MAX((size_t)SLAB_ROWS, 4 * p->behind));
  return HY_OK;
}

hy_status hy_features_compute_series(const hy_features *f, const hy_series *series,
                                     double *const *out, hy_error *err) {
  HY_FAIL_IF(!f || !series || !out || series->struct_size < sizeof(hy_series), HY_INVALID_ARGUMENT,
             err,
             "hy_features_compute_series: features, a series with its struct_size, and out "
             "must be given");
  if (!series->n_bars) return HY_OK;
  pieces p;
  HY_TRY(cut(f, series, &p, err));
  if (p.rows) return compute_pieces(f, series, p, out, err);
  static const char *const name = "series";
  hy_panel panel = {.struct_size = sizeof panel,
                    .n_bars = series->n_bars,
                    .n_symbols = 1,
                    .n_fields = series->n_fields,
                    .time_ns = series->time_ns,
                    .symbols = &name,
                    .fields = series->fields,
                    .data = series->data};
  return panel.time_ns ? compute(f, &panel, out, err) : compute_untimed(f, &panel, out, err);
}
