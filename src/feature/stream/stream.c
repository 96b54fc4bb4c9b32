/* SPDX-License-Identifier: Apache-2.0
 * A stream's calls: a row of bars with the slower bars that close before and with it, time that
 * passes without one, a peek that is undone, and making and ending a stream. */
#include "feature/stream/stream_tick.h"

/* ---- one row of bars ---- */

/* The open bar that ends first, by `by_ns`; of equals that of the slowest timeframe, which the
 * others see. 0: there is none. */
static uint32_t next_closing(const hy_feature_stream *s, int64_t by_ns) {
  uint32_t found = 0;
  for (uint32_t tf = 1; tf < s->f->n_timeframes; tf++) {
    const int64_t end_ns = s->frames[tf].open_ns,
                  best_ns = found ? s->frames[found].open_ns : by_ns;
    const bool slower = found && s->f->timeframes[tf].ns >= s->f->timeframes[found].ns;
    if (end_ns == INT64_MIN || end_ns > by_ns) continue;
    if (!found || end_ns < best_ns || (end_ns == best_ns && slower)) found = tf;
  }
  return found;
}

static void close_bars(const hy__stream_event *e, int64_t by_ns) {
  for (uint32_t tf; (tf = next_closing(e->s, by_ns)) != 0;)
    hy__stream_run_tick(e, tf, e->s->frames[tf].open_ns);
}

static void open_bars(const hy__stream_event *e) {
  hy_feature_stream *s = e->s;
  for (uint32_t tf = 1; tf < s->f->n_timeframes; tf++)
    s->frames[tf].open_ns = hy__grid_end(s->frames[tf].grid, e->row->time_ns);
  for (size_t b = 0; s->f->n_timeframes > 1 && b < s->n_blocks; b++) hy__stream_fold_block(e, b);
}

/* What ended before this row's bars, the bars themselves, what ends with them, the answer. */
static void run_row(const hy__stream_event *e) {
  hy_feature_stream *s = e->s;
  for (size_t b = 0; b < s->n_blocks; b++) hy__stream_read_bars(e, b);
  close_bars(e, e->row->time_ns - 1);
  open_bars(e);
  close_bars(e, e->row->time_ns);
  hy__stream_run_tick(e, 0, e->row->time_ns);
}

static hy_status fail_late(const char *what, int64_t ns, int64_t closed_ns, hy_error *err) {
  char now[40], last[40];
  hy__time_format(ns, now);
  hy__time_format(closed_ns, last);
  HY_FAIL(HY_LATE, err, "%s %s after that of %s", what, now, last);
}

static hy_status check_row(const hy_feature_stream *s, const hy_bar_row *row, const double *values,
                           hy_error *err) {
  HY_FAIL_IF(!s || !row || row->struct_size < sizeof(hy_bar_row) || !row->fields || !values,
             HY_INVALID_ARGUMENT, err,
             "a stream, a row with its struct_size and fields, and values must be given");
  for (size_t k = 0; k < s->info.n_fields; k++)
    HY_FAIL_IF(!row->fields[k], HY_INVALID_ARGUMENT, err, "the row has no field %s",
               s->info.fields[k]);
  HY_FAIL_IF(row->time_ns == INT64_MIN, HY_INVALID_ARGUMENT, err, "the row has no time");
  if (row->time_ns <= s->closed_ns) return fail_late("a row of", row->time_ns, s->closed_ns, err);
  return HY_OK;
}

hy_status hy_feature_stream_update(hy_feature_stream *s, const hy_bar_row *row, double *values,
                                   uint8_t *valid, hy_error *err) {
  HY_TRY(check_row(s, row, values, err));
  const hy__stream_event e = {.s = s, .row = row, .values = values, .valid = valid};
  run_row(&e);
  s->time_ns = s->closed_ns = row->time_ns;
  s->n_rows++;
  return HY_OK;
}

hy_status hy_feature_stream_advance(hy_feature_stream *s, int64_t time_ns, hy_error *err) {
  HY_FAIL_IF(!s, HY_INVALID_ARGUMENT, err, "hy_feature_stream_advance: a stream must be given");
  if (time_ns < s->closed_ns) return fail_late("a time of", time_ns, s->closed_ns, err);
  const hy__stream_event e = {.s = s};
  close_bars(&e, time_ns);
  s->closed_ns = time_ns;
  return HY_OK;
}

/* ---- peek ---- */

/* Whether the row does more than can be undone by giving the states back: a slower bar closes late,
 * so that another may close after it, or a series begins anew. */
static bool undoes_rows(const hy_feature_stream *s, int64_t time_ns) {
  for (uint32_t tf = 1; tf < s->f->n_timeframes; tf++)
    if (s->frames[tf].open_ns != INT64_MIN && s->frames[tf].open_ns < time_ns) return true;
  for (size_t i = 0; i < s->n_blocks * s->n_domains; i++) {
    const int64_t most_ns = s->f->gaps[s->f->domains[i % s->n_domains].gap].reset_after_ns;
    for (size_t k = 0; most_ns && k < HY_LANES; k++) {
      const int64_t last_ns = s->bars[i * HY_LANES + k].last_ns;
      if (last_ns != INT64_MIN && time_ns - last_ns > most_ns) return true;
    }
  }
  return false;
}

/* The first `doubles` of each block, one after the other. */
static void keep_blocks(const hy_feature_stream *s, size_t doubles, bool back) {
  for (size_t b = 0; b < s->n_blocks; b++) {
    double *block = hy__stream_block(s, b), *kept_block = s->shadow + b * doubles;
    memcpy(back ? block : kept_block, back ? kept_block : block, doubles * sizeof *block);
  }
}

static void save(hy_feature_stream *s, size_t doubles) {
  const size_t cells = s->n_blocks * s->n_domains;
  memcpy(s->shadow_count, s->count, cells * sizeof *s->count);
  memcpy(s->shadow_bars, s->bars, cells * HY_LANES * sizeof *s->bars);
  memcpy(s->shadow_frames, s->frames, sizeof s->frames);
  keep_blocks(s, doubles, false);
}

/* Rows in the rings behind the newest need no undoing: nothing reads them. */
static void give_back(hy_feature_stream *s, size_t doubles) {
  const size_t cells = s->n_blocks * s->n_domains;
  memcpy(s->count, s->shadow_count, cells * sizeof *s->count);
  memcpy(s->bars, s->shadow_bars, cells * HY_LANES * sizeof *s->bars);
  memcpy(s->frames, s->shadow_frames, sizeof s->frames);
  keep_blocks(s, doubles, true);
  for (size_t i = 0; i < cells; i++) s->lanes[i].held = 0;
}

hy_status hy_feature_stream_peek(hy_feature_stream *s, const hy_bar_row *row, double *values,
                                 uint8_t *valid, hy_error *err) {
  HY_TRY(check_row(s, row, values, err));
  const hy__stream_event e = {.s = s, .row = row, .values = values, .valid = valid};
  const size_t doubles = undoes_rows(s, row->time_ns) ? s->block_doubles : s->state_doubles;
  hy__stream_settle(s);
  save(s, doubles);
  run_row(&e);
  give_back(s, doubles);
  return HY_OK;
}

/* ---- making one ---- */

/* The names, zone and timeframe, checked as those of a panel: one row without values. */
static hy_status name_bars(hy_feature_stream *s, const hy_feature_stream_options *o,
                           hy_error *err) {
  static const char *const usual[] = {"open", "high", "low", "close", "volume"};
  static const int64_t no_time[] = {0};
  void *cells = NULL, *columns = NULL;
  const size_t n_fields = o->fields ? o->n_fields : HY_COUNT(usual);
  HY_TRY(hy__arena_array(s->arena, o->n_symbols, sizeof(double), &cells, err));
  HY_TRY(hy__arena_array(s->arena, n_fields, sizeof(double *), &columns, err));
  const double **data = columns;
  for (size_t k = 0; k < n_fields; k++) data[k] = cells;
  const hy_panel panel = {.struct_size = sizeof panel,
                          .n_bars = 1,
                          .n_symbols = o->n_symbols,
                          .n_fields = n_fields,
                          .time_ns = no_time,
                          .symbols = o->symbols,
                          .fields = o->fields ? o->fields : usual,
                          .data = data,
                          .timeframe = o->timeframe,
                          .zone = o->zone,
                          .calendar = o->calendar};
  HY_TRY(hy_universe_from_panel(s->f->runtime, &panel, &s->universe, err));
  s->info.struct_size = sizeof s->info;
  hy_universe_describe(s->universe, &s->info);
  return HY_OK;
}

hy_status hy_feature_stream_create(const hy_features *f, const hy_feature_stream_options *o,
                                   hy_feature_stream **out, hy_error *err) {
  HY_FAIL_IF(!f || !o || !out || o->struct_size < sizeof(hy_feature_stream_options) || !o->symbols,
             HY_INVALID_ARGUMENT, err,
             "hy_feature_stream_create: features, options with struct_size and symbols, and out");
  void *memory;
  HY_TRY(hy__alloc_zero(f->allocator, sizeof(hy_feature_stream), &memory, err));
  hy_feature_stream *s = memory;
  s->f = f;
  s->allocator = f->allocator;
  hy_status status = hy__arena_create(f->allocator, 16384, 0, &s->arena, err);
  if (status == HY_OK) status = name_bars(s, o, err);
  if (status == HY_OK) status = hy__stream_plan(s, err);
  if (status == HY_OK) status = hy__clocks_open(f, s->info.zone, s->info.calendar, &s->clocks, err);
  if (status != HY_OK) {
    hy_feature_stream_destroy(s);
    return status;
  }
  hy__arena_freeze(s->arena);
  *out = s;
  return HY_OK;
}

void hy_feature_stream_destroy(hy_feature_stream *s) {
  if (!s) return;
  for (size_t tf = 1; tf < HY__TIMEFRAMES_MAX; tf++) hy__grid_destroy(s->frames[tf].grid);
  hy__clocks_close(s->clocks);
  hy_universe_destroy(s->universe);
  hy__arena_destroy(s->arena);
  hy__free(s->allocator, s, sizeof *s);
}
