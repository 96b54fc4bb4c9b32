/* SPDX-License-Identifier: Apache-2.0
 * hy_features_compute: a whole range into the caller's matrices, blocks in parallel, cross-sections
 * between. */
#include "feature/run.h"

enum { CROSS_ROWS_GRAIN = 64 };

typedef struct job {
  hy__feature_run *run;
  uint8_t *workspaces;
  size_t workspace_bytes;
  uint32_t stage;
  hy__sink_plan sink;
} job;

static hy_status run_blocks(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const job *j = ctx;
  int64_t time_ns[2] = {0, 0};
  for (size_t block = begin; block < end; block++)
    HY_TRY(hy__exec_block(j->run, j->stage, block, j->workspaces + worker * j->workspace_bytes,
                          &j->sink, NULL, time_ns, err));
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

static hy_status run_with_memory(hy__feature_run *run, double *const *out, hy_error *err) {
  hy__pool *pool = hy__runtime_pool(run->f->runtime);
  job j = {.run = run, .sink = {.columns = out}};
  size_t bytes;
  void *memory;
  j.workspace_bytes = hy__feature_run_workspace_bytes(run);
  HY_FAIL_IF(!hy__mul(j.workspace_bytes, hy__pool_n_workers(pool), &bytes), HY_LIMIT, err,
             "%zu bytes for each worker are too many", j.workspace_bytes);
  HY_TRY(hy__alloc(run->f->allocator, bytes, &memory, err));
  j.workspaces = memory;
  hy_status status = run_all(&j, pool, err);
  hy__free(run->f->allocator, memory, bytes);
  return status;
}

hy_status hy_features_compute(const hy_features *f, const hy_universe *universe, size_t t_begin,
                              size_t t_end, double *const *out, uint8_t *const *valid,
                              hy_error *err) {
  HY_FAIL_IF(!f || !universe || !out, HY_INVALID_ARGUMENT, err,
             "hy_features_compute: features, universe and out must be given");
  hy__feature_run *run;
  hy__feature_range range = {.t_begin = t_begin, .t_end = t_end};
  HY_TRY(hy__feature_run_create(f, universe, range, &run, err));
  hy_status status = run_with_memory(run, out, err);
  size_t cells = (t_end - t_begin) * run->info.n_symbols;
  hy__feature_run_destroy(run);
  for (size_t i = 0; valid && status == HY_OK && i < f->n_features; i++)
    for (size_t c = 0; c < cells; c++) valid[i][c] = out[i][c] == out[i][c];
  return status;
}
