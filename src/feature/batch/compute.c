/* SPDX-License-Identifier: Apache-2.0
 * hy_features_compute: a whole range into the caller's matrices, blocks in parallel, cross-sections
 * between. */
#include <stdatomic.h>

#include "feature/batch/compute.h"
#include "feature/batch/run.h"

enum { CROSS_ROWS_GRAIN = 64 };

typedef struct job {
  hy__feature_run *run;
  uint8_t *workspaces;
  size_t workspace_bytes;
  size_t tiles_at; /* of a worker's memory, the tiles' pointers */
  uint32_t stage;
  const hy__compute_out *out;
  _Atomic size_t n_done;
} job;

static bool is_last(const job *j) { return j->stage + 1 == hy__feature_run_n_stages(j->run); }

static hy_status run_block(job *j, size_t block, uint8_t *memory, hy_error *err) {
  double *const *tiles = (double *const *)(memory + j->tiles_at);
  bool takes = j->out->take && is_last(j);
  hy__exec_job one = {.stage = j->stage,
                      .block = block,
                      .workspace = memory,
                      .sink = {.columns = j->out->columns,
                               .symbol_stride = j->out->symbol_stride,
                               .tiles = takes ? tiles : NULL}};
  HY_TRY(hy__exec_block(j->run, &one, err));
  return takes ? j->out->take(j->out->take_ctx, block, tiles, memory + j->run->mask, err) : HY_OK;
}

static hy_status run_blocks(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  job *j = ctx;
  const hy__compute_out *o = j->out;
  size_t total = j->run->n_blocks * hy__feature_run_n_stages(j->run);
  for (size_t block = begin; block < end; block++) {
    HY_TRY(run_block(j, block, j->workspaces + worker * j->workspace_bytes, err));
    /* a count alone: nothing is ordered by it */
    size_t done = atomic_fetch_add_explicit(&j->n_done, 1, memory_order_relaxed) + 1;
    HY_FAIL_IF(worker == 0 && o->progress && !o->progress(o->progress_ctx, done, total, "blocks"),
               HY_CANCELLED, err, "stopped after %zu of %zu blocks", done, total);
  }
  return HY_OK;
}

static hy_status run_cross(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const job *j = ctx;
  return hy__feature_run_cross(j->run, j->stage, begin, end,
                               j->workspaces + worker * j->workspace_bytes, err);
}

static hy_status run_all(job *j, hy__pool *pool, hy_error *err) {
  uint32_t n_stages = hy__feature_run_n_stages(j->run);
  for (j->stage = 0; j->stage < n_stages; j->stage++) {
    HY_TRY(hy__pool_for(pool, hy__feature_run_n_blocks(j->run), 1, run_blocks, j, err));
    size_t rows = hy__feature_run_cross_rows(j->run, j->stage);
    if (rows) HY_TRY(hy__pool_for(pool, rows, CROSS_ROWS_GRAIN, run_cross, j, err));
  }
  return HY_OK;
}

static size_t tile_rows(const hy__feature_run *run, const hy__stage *s, size_t target) {
  uint32_t tf = hy__node_timeframe(run->f, &run->f->nodes[s->targets[target].node]);
  return run->views[tf].t_end - s->t_begin[tf];
}

/* A worker's memory: its workspace, and behind it the tiles of the last stage, if they are taken.
 */
static hy_status measure(job *j, hy_error *err) {
  const hy__feature_run *run = j->run;
  const hy__stage *s = &run->stages[run->f->n_stages - 1];
  size_t at = run->workspace_bytes, bytes;
  bool fits = hy__round_up(at, HY_ALIGN, &at);
  j->tiles_at = at;
  fits = fits && (!j->out->take ||
                  (hy__mul(s->n_targets, sizeof(double *), &bytes) && hy__add(at, bytes, &at)));
  for (size_t i = 0; fits && j->out->take && i < s->n_targets; i++)
    fits =
        hy__mul(tile_rows(run, s, i), HY_LANES * sizeof(double), &bytes) && hy__add(at, bytes, &at);
  fits = fits && hy__round_up(at, HY_ALIGN, &at);
  HY_FAIL_IF(!fits, HY_LIMIT, err, "the rows of a block need more memory than there are addresses");
  j->workspace_bytes = at;
  return HY_OK;
}

static void place_tiles(const job *j, uint8_t *memory) {
  const hy__stage *s = &j->run->stages[j->run->f->n_stages - 1];
  double **tiles = (double **)(memory + j->tiles_at), *next = (double *)(tiles + s->n_targets);
  for (size_t i = 0; j->out->take && i < s->n_targets; i++) {
    tiles[i] = next;
    next += tile_rows(j->run, s, i) * HY_LANES;
  }
}

static hy_status run_with_memory(job *j, hy_error *err) {
  const hy_features *f = j->run->f;
  hy__pool *pool = hy__runtime_pool(f->runtime);
  size_t bytes;
  void *memory;
  HY_TRY(measure(j, err));
  HY_FAIL_IF(!hy__mul(j->workspace_bytes, hy__pool_n_workers(pool), &bytes), HY_LIMIT, err,
             "%zu bytes for each worker are too many", j->workspace_bytes);
  HY_TRY(hy__alloc(f->allocator, bytes, &memory, err));
  j->workspaces = memory;
  for (uint32_t w = 0; w < hy__pool_n_workers(pool); w++)
    place_tiles(j, j->workspaces + w * j->workspace_bytes);
  hy_status status = run_all(j, pool, err);
  hy__free(f->allocator, memory, bytes);
  return status;
}

hy_status hy__compute_run(hy__feature_run *run, const hy__compute_out *out, hy_error *err) {
  job j = {.run = run, .out = out};
  return run_with_memory(&j, err);
}

hy_status hy__compute_range(const hy_features *f, const hy_universe *universe,
                            hy__feature_range range, const hy__compute_out *out, hy_error *err) {
  hy__feature_run *run;
  range.by_node = true;
  HY_TRY(hy__feature_run_create(f, universe, range, &run, err));
  hy_status status = hy__compute_run(run, out, err);
  hy__feature_run_destroy(run);
  return status;
}

hy_status hy_features_compute(const hy_features *f, const hy_universe *universe, size_t t_begin,
                              size_t t_end, double *const *out, uint8_t *const *valid,
                              hy_error *err) {
  HY_FAIL_IF(!f || !universe || !out, HY_INVALID_ARGUMENT, err,
             "hy_features_compute: features, universe and out must be given");
  hy_universe_info info = {.struct_size = sizeof info};
  hy__feature_range range = {.t_begin = t_begin, .t_end = t_end};
  hy__compute_out to = {.columns = out};
  HY_TRY(hy__compute_range(f, universe, range, &to, err));
  hy_universe_describe(universe, &info);
  size_t cells = (t_end - t_begin) * info.n_symbols;
  for (size_t i = 0; valid && i < f->n_features; i++)
    for (size_t c = 0; c < cells; c++) valid[i][c] = out[i][c] == out[i][c];
  return HY_OK;
}

hy_status hy_features_compute_columns(const hy_features *f, const hy_universe *universe,
                                      const hy_features_columns *c, hy_error *err) {
  HY_FAIL_IF(!f || !universe || !c || c->struct_size < sizeof *c || !c->out, HY_INVALID_ARGUMENT,
             err,
             "hy_features_compute_columns: features, universe and columns with struct_size and out "
             "must be given");
  HY_FAIL_IF(c->t_begin >= c->t_end || c->stride < c->t_end - c->t_begin, HY_INVALID_ARGUMENT, err,
             "hy_features_compute_columns: a stride of %zu for rows [%zu, %zu)", c->stride,
             c->t_begin, c->t_end);
  const hy__feature_range range = {.t_begin = c->t_begin, .t_end = c->t_end};
  const hy__compute_out to = {.columns = c->out, .symbol_stride = c->stride};
  return hy__compute_range(f, universe, range, &to, err);
}
