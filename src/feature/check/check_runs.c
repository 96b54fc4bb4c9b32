/* SPDX-License-Identifier: Apache-2.0
 * A program over variants of a universe, side by side: all stages of each, and in the last one a
 * few blocks at a time, handed over one after the other. So a check needs memory for blocks, not
 * for the whole answer, and findings come in the same order whatever the threads. */
#include "feature/check/check.h"

enum { OUT_BYTES_MAX = 1 << 30, SLOTS_MAX = 64 };

/* ---- the market in arrays ---- */

static hy_status read_fields(const hy_features *f, const hy_universe *u, hy__arena *arena,
                             hy__check_market *m, hy_error *err) {
  void *names, *data, *part, *cells;
  size_t n;
  HY_FAIL_IF(!hy__mul(m->info.n_bars, m->info.n_symbols, &n), HY_LIMIT, err,
             "the universe is too large");
  HY_TRY(hy__arena_array(arena, m->info.n_fields, sizeof(char *), &names, err));
  HY_TRY(hy__arena_array(arena, m->info.n_fields, sizeof(double *), &data, err));
  HY_TRY(hy__arena_array(arena, m->info.n_fields, sizeof(double *), &part, err));
  m->fields = names;
  m->part = part;
  m->data = data;
  const int32_t close = hy__universe_field(u, "close");
  for (int32_t k = 0; k < (int32_t)m->info.n_fields; k++) {
    if (k != close && !hy__features_read(f, u, k)) continue;
    HY_TRY(hy__arena_array(arena, n, sizeof(double), &cells, err));
    m->fields[m->n_fields] = m->info.fields[k];
    m->data[m->n_fields++] = cells;
    HY_TRY(hy_universe_read(u, m->info.fields[k], 0, m->info.n_bars, cells, err));
  }
  if (m->n_fields) return HY_OK;
  HY_TRY(hy__arena_array(arena, n, sizeof(double), &cells, err)); /* clocks and numbers alone */
  m->fields[0] = "close";
  m->data[m->n_fields++] = cells;
  return HY_OK;
}

static hy_status read_valid(const hy_universe *u, hy__arena *arena, hy__check_market *m,
                            hy_error *err) {
  const size_t bars = m->info.n_bars, symbols = m->info.n_symbols;
  void *valid, *memory;
  bool all;
  HY_TRY(hy__arena_array(arena, bars * symbols, 1, &valid, err));
  HY_TRY(hy__arena_array(arena, bars, 1, &memory, err));
  m->valid = valid;
  const uint8_t *mask = memory;
  for (size_t block = 0; block < hy__universe_n_blocks(symbols); block++) {
    HY_TRY(hy__universe_present(u, block, 0, bars, memory, &all, err));
    for (size_t t = 0; t < bars; t++)
      for (size_t s = block * HY_LANES; s < HY_MIN((block + 1) * HY_LANES, symbols); s++)
        m->valid[t * symbols + s] = mask[t] >> s % HY_LANES & 1;
  }
  return HY_OK;
}

/* The file's bars become panels and streams. */
static void forget_names(const hy_features *f, hy_universe_info *info) {
  hy_panel names = {.timeframe = info->timeframe, .zone = info->zone, .calendar = info->calendar};
  hy__features_forget_names(f, &names);
  info->timeframe = names.timeframe, info->zone = names.zone, info->calendar = names.calendar;
}

hy_status hy__check_market_read(const hy_features *f, const hy_universe *u, hy__arena *arena,
                                hy__check_market *out, hy_error *err) {
  *out = (hy__check_market){.runtime = f->runtime, .info = {.struct_size = sizeof out->info}};
  hy_universe_describe(u, &out->info);
  forget_names(f, &out->info);
  HY_TRY(read_fields(f, u, arena, out, err));
  return read_valid(u, arena, out, err);
}

hy_status hy__check_market_part(const hy__check_market *m, size_t begin, size_t end,
                                hy_universe **out, hy_error *err) {
  const hy_universe_info *i = &m->info;
  for (size_t k = 0; k < m->n_fields; k++) m->part[k] = m->data[k] + begin * i->n_symbols;
  hy_panel panel = {.struct_size = sizeof panel,
                    .n_bars = end - begin,
                    .n_symbols = i->n_symbols,
                    .n_fields = m->n_fields,
                    .time_ns = i->time_ns + begin,
                    .symbols = i->symbols,
                    .fields = m->fields,
                    .data = m->part,
                    .valid = m->valid + begin * i->n_symbols,
                    .timeframe = i->timeframe,
                    .zone = i->zone,
                    .calendar = i->calendar};
  return hy_universe_from_panel(m->runtime, &panel, out, err);
}

hy_status hy__check_market_stream(const hy__check_market *m, const hy_features *f,
                                  hy_feature_stream **out, hy_error *err) {
  const hy_universe_info *i = &m->info;
  const hy_feature_stream_options o = {.struct_size = sizeof o,
                                       .n_symbols = i->n_symbols,
                                       .n_fields = m->n_fields,
                                       .symbols = i->symbols,
                                       .fields = m->fields,
                                       .timeframe = i->timeframe,
                                       .zone = i->zone,
                                       .calendar = i->calendar};
  return hy_feature_stream_create(f, &o, out, err);
}

/* ---- runs ---- */

typedef struct work {
  const hy__check_runs *r;
  hy__feature_run *run[HY__CHECK_RUNS_MAX];
  size_t rows[HY__CHECK_RUNS_MAX], out_at[HY__CHECK_RUNS_MAX];
  size_t workspace_bytes, out_bytes; /* of a worker, of a slot */
  uint8_t *workspaces, *outs;
  size_t n_blocks, n_slots;
  uint32_t stage;
  size_t first; /* block of slot 0 */
} work;

static hy_status early_blocks(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  work *w = ctx;
  uint32_t n_bars[HY_LANES];
  int64_t time_ns[2] = {0, 0};
  for (size_t k = begin; k < end; k++)
    HY_TRY(hy__feature_run_block(w->run[k % w->r->n], w->stage, k / w->r->n,
                                 w->workspaces + worker * w->workspace_bytes, NULL, n_bars, time_ns,
                                 err));
  return HY_OK;
}

static hy_status last_blocks(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  work *w = ctx;
  uint32_t n_bars[HY_LANES];
  int64_t time_ns[2] = {0, 0};
  for (size_t slot = begin; slot < end; slot++)
    for (size_t k = 0; k < w->r->n; k++) {
      double *out = (double *)(w->outs + slot * w->out_bytes + w->out_at[k]);
      HY_TRY(hy__feature_run_block(w->run[k], w->stage, w->first + slot,
                                   w->workspaces + worker * w->workspace_bytes, out, n_bars,
                                   time_ns, err));
    }
  return HY_OK;
}

static hy_status hand_over(const work *w, size_t slot, hy_error *err) {
  const hy__check_runs *r = w->r;
  hy_universe_info info = {.struct_size = sizeof info};
  hy_universe_describe(r->universes[0], &info);
  hy__check_block b = {.block = w->first + slot};
  b.n_lanes = HY_MIN((size_t)HY_LANES, info.n_symbols - b.block * HY_LANES);
  for (size_t k = 0; k < r->n; k++) {
    b.rows[k] = w->rows[k];
    b.out[k] = (const double *)(w->outs + slot * w->out_bytes + w->out_at[k]);
  }
  HY_TRY(r->block(r->ctx, &b, err));
  uint64_t done = r->step * w->n_blocks + b.block + 1;
  HY_FAIL_IF(r->progress && !r->progress(r->progress_ctx, done, r->n_steps * w->n_blocks, "blocks"),
             HY_CANCELLED, err, "stopped after %zu of %zu blocks", (size_t)done,
             r->n_steps * w->n_blocks);
  return HY_OK;
}

static hy_status run_stages(work *w, hy__pool *pool, hy_error *err) {
  const uint32_t n_stages = hy__feature_run_n_stages(w->run[0]);
  for (w->stage = 0; w->stage + 1 < n_stages; w->stage++) {
    HY_TRY(hy__pool_for(pool, w->n_blocks * w->r->n, 1, early_blocks, w, err));
    for (size_t k = 0; k < w->r->n; k++) {
      size_t rows = hy__feature_run_cross_rows(w->run[k], w->stage);
      HY_TRY(hy__feature_run_cross(w->run[k], w->stage, 0, rows, w->workspaces, err));
    }
  }
  for (w->first = 0; w->first < w->n_blocks; w->first += w->n_slots) {
    size_t n = HY_MIN(w->n_slots, w->n_blocks - w->first);
    HY_TRY(hy__pool_for(pool, n, 1, last_blocks, w, err));
    for (size_t slot = 0; slot < n; slot++) HY_TRY(hand_over(w, slot, err));
  }
  return HY_OK;
}

static hy_status run_in_memory(work *w, hy_error *err) {
  const hy_allocator *a = w->r->f->allocator;
  hy__pool *pool = hy__runtime_pool(w->r->f->runtime);
  const size_t workers = hy__pool_n_workers(pool);
  size_t workspaces, outs;
  void *memory[2];
  w->n_slots = HY_MIN(HY_MIN(workers, (size_t)SLOTS_MAX), w->n_blocks);
  while (w->n_slots > 1 && w->out_bytes > OUT_BYTES_MAX / w->n_slots) w->n_slots--;
  HY_FAIL_IF(!hy__mul(w->workspace_bytes, workers, &workspaces) ||
                 !hy__mul(w->out_bytes, w->n_slots, &outs),
             HY_LIMIT, err, "%zu bytes for each worker are too many", w->workspace_bytes);
  HY_TRY(hy__alloc(a, workspaces, &memory[0], err));
  hy_status status = hy__alloc(a, outs, &memory[1], err);
  if (status == HY_OK) {
    w->workspaces = memory[0];
    w->outs = memory[1];
    status = run_stages(w, pool, err);
    hy__free(a, memory[1], outs);
  }
  hy__free(a, memory[0], workspaces);
  return status;
}

static hy_status open_run(work *w, size_t k, hy_error *err) {
  hy_universe_info info = {.struct_size = sizeof info};
  size_t bytes;
  hy_universe_describe(w->r->universes[k], &info);
  w->rows[k] = info.n_bars;
  hy__feature_range range = {.t_end = info.n_bars};
  HY_TRY(hy__feature_run_create(w->r->f, w->r->universes[k], range, &w->run[k], err));
  size_t workspace = hy__feature_run_workspace_bytes(w->run[k]);
  bool fits = hy__round_up(HY_MAX(workspace, w->workspace_bytes), HY_ALIGN, &w->workspace_bytes) &&
              hy__mul(info.n_bars, w->r->f->n_features * HY_LANES * sizeof(double), &bytes);
  w->out_at[k] = w->out_bytes;
  fits = fits && hy__add(w->out_bytes, bytes, &w->out_bytes);
  HY_FAIL_IF(!fits, HY_LIMIT, err, "%zu bars of %zu features are too many", info.n_bars,
             w->r->f->n_features);
  w->n_blocks = hy__feature_run_n_blocks(w->run[k]);
  return HY_OK;
}

hy_status hy__check_runs_all(const hy__check_runs *r, hy_error *err) {
  work w = {.r = r};
  hy_status status = HY_OK;
  for (size_t k = 0; k < r->n && status == HY_OK; k++) status = open_run(&w, k, err);
  if (status == HY_OK) status = run_in_memory(&w, err);
  for (size_t k = 0; k < r->n; k++) hy__feature_run_destroy(w.run[k]);
  return status;
}
