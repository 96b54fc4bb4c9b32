/* SPDX-License-Identifier: Apache-2.0
 * hy_features_compute_series: one symbol's bars in plain arrays, for callers whose series are short
 * and many. Most specs go the short way of solo.h; for those that need times, slower bars or
 * cross-sections the arrays are a panel of one column. The caller's thread alone works on it, so
 * calls need neither the pool nor a lock. */
#include "feature/batch/run.h"
#include "feature/solo/solo.h"

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

static bool times_rise(const int64_t *time_ns, size_t n) {
  bool rise = true;
  for (size_t t = 1; time_ns && t < n; t++) rise &= time_ns[t - 1] < time_ns[t];
  return rise;
}

static bool all_there(const hy_series *series) {
  bool there = series->fields && series->data && series->n_fields;
  for (size_t k = 0; there && k < series->n_fields; k++) there = series->data[k] != NULL;
  return there && times_rise(series->time_ns, series->n_bars);
}

/* Where the short way does and nothing is wrong with the series; *done says whether it did. */
static hy_status compute_solo(const hy_features *f, const hy_series *series, double *const *out,
                              bool *done, hy_error *err) {
  hy__solo_job job = {.isa = f->isa,
                      .n_bars = series->n_bars,
                      .n_fields = series->n_fields,
                      .data = series->data,
                      .out = (void *const *)out};
  void *memory;
  *done = false;
  HY_TRY(hy__solo_plan(f, &job.plan, err));
  if (!job.plan->fits || !all_there(series)) return HY_OK;
  HY_TRY(hy__alloc_array(f->allocator, job.plan->n_nodes, sizeof(uint32_t), &memory, err));
  job.field_of = memory;
  hy_status status = HY_OK;
  *done = hy__solo_bind(job.plan, series->fields, series->n_fields, memory, NULL) == HY_OK;
  if (*done) status = hy__solo_run(f, &job, err);
  hy__free(f->allocator, memory, job.plan->n_nodes * sizeof(uint32_t));
  return status;
}

hy_status hy_features_compute_series(const hy_features *f, const hy_series *series,
                                     double *const *out, hy_error *err) {
  HY_FAIL_IF(!f || !series || !out || series->struct_size < sizeof(hy_series), HY_INVALID_ARGUMENT,
             err,
             "hy_features_compute_series: features, a series with its struct_size, and out "
             "must be given");
  bool done = !series->n_bars;
  if (!done) HY_TRY(compute_solo(f, series, out, &done, err));
  if (done) return HY_OK;
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
