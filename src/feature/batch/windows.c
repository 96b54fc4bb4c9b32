/* SPDX-License-Identifier: Apache-2.0
 * Windows of several timeframes: features at their own timeframes, block by block, and of each
 * symbol's rows the last bars before each row that is asked for. */
#include "feature/batch/bars.h"
#include "feature/batch/compute.h"
#include "feature/batch/run.h"

#include <hayate/feature_window.h>
#include <math.h>

/* ---- which features ---- */

#define NO_TIMEFRAME UINT32_MAX

/* By name, else by length; the universe's own may have been named by nobody. */
static uint32_t find_timeframe(const hy_features *f, const char *name) {
  int64_t ns;
  if (!name || !name[0]) return 0;
  for (uint32_t tf = 0; tf < f->n_timeframes; tf++)
    if (!strcmp(f->timeframes[tf].name, name)) return tf;
  if (hy__timeframe_parse(name, &ns, NULL) != HY_OK) return NO_TIMEFRAME;
  for (uint32_t tf = 0; tf < f->n_timeframes; tf++)
    if (f->timeframes[tf].ns == ns) return tf;
  return f->timeframes[0].ns ? NO_TIMEFRAME : 0;
}

size_t hy__features_list(const hy_features *f, uint32_t tf, uint32_t *indices) {
  size_t n = 0;
  for (uint32_t i = 0; i < f->n_features; i++) {
    if (hy__node_timeframe(f, &f->nodes[f->own[i].node]) != tf) continue;
    if (indices) indices[n] = i;
    n++;
  }
  return n;
}

size_t hy__features_timeframe(const hy_features *f, const char *name) {
  uint32_t tf = find_timeframe(f, name);
  bool unknown = tf == 0 && name && name[0] && !f->timeframes[0].ns; /* there is no universe yet */
  return tf == NO_TIMEFRAME || unknown ? SIZE_MAX : tf;
}

size_t hy_features_at(const hy_features *f, const char *timeframe, uint32_t *indices) {
  uint32_t tf = find_timeframe(f, timeframe);
  return tf == NO_TIMEFRAME ? 0 : hy__features_list(f, tf, indices);
}

/* ---- one block ---- */

/* A window as it is made: its features are targets [first, first + n) of the run. */
typedef struct made {
  uint32_t tf;
  size_t n_bars, first, n;
  uint8_t *out;
} made;

typedef struct job {
  const hy__feature_run *run;
  made *windows;
  size_t n_windows;
  bool narrow, skip_missing;
} job;

static size_t cell_bytes(const job *j) { return j->narrow ? sizeof(float) : sizeof(double); }

static void put(const job *j, uint8_t *cell, double value) {
  float narrow = (float)value;
  if (j->narrow)
    memcpy(cell, &narrow, sizeof narrow);
  else
    memcpy(cell, &value, sizeof value);
}

/* Rows of a block from the run's first of that timeframe on. */
typedef struct rows {
  const made *window;
  double *const *tiles;
  const uint8_t *mask;
} rows;

/* The window of one lane that ends before row `end` of the view; newest bar first. */
static void fill_window(const job *j, const rows *r, size_t end, size_t lane, uint8_t *out) {
  const made *w = r->window;
  const size_t begin = hy__feature_run_begin(j->run, w->tf);
  size_t t = end, bar = w->n_bars;
  for (; bar > 0 && t > begin; t--) {
    if (j->skip_missing && !(r->mask[t - 1 - begin] >> lane & 1)) continue;
    uint8_t *row = out + --bar * w->n * cell_bytes(j);
    for (size_t k = 0; k < w->n; k++)
      put(j, row + k * cell_bytes(j), r->tiles[w->first + k][(t - 1 - begin) * HY_LANES + lane]);
  }
  for (size_t c = 0; c < bar * w->n; c++) put(j, out + c * cell_bytes(j), (double)NAN);
}

static hy_status take_block(void *ctx, size_t block, double *const *tiles, uint8_t *room,
                            hy_error *err) {
  const job *j = ctx;
  const hy__feature_run *run = j->run;
  const size_t n_symbols = run->info.n_symbols, first = block * HY_LANES;
  for (size_t i = 0; i < j->n_windows; i++) {
    const made *w = &j->windows[i];
    const rows r = {.window = w, .tiles = tiles, .mask = room};
    const hy__view *v = &run->views[w->tf];
    const size_t window_bytes = w->n_bars * w->n * cell_bytes(j);
    bool unused;
    HY_TRY(hy__universe_present(v->universe, block, hy__feature_run_begin(run, w->tf), v->t_end,
                                room, &unused, err));
    for (size_t t = run->range.t_begin; t < run->range.t_end; t++) {
      const size_t end = w->tf ? run->ended[0][w->tf][t - run->range.t_start] : t + 1;
      uint8_t *out = w->out + (t - run->range.t_begin) * n_symbols * window_bytes;
      for (size_t s = first; s < HY_MIN(first + HY_LANES, n_symbols); s++)
        fill_window(j, &r, end, s - first, out + s * window_bytes);
    }
  }
  return HY_OK;
}

/* ---- the call ---- */

typedef struct request {
  uint32_t *own; /* features, window by window */
  size_t bars[HY__TIMEFRAMES_MAX];
  made windows[HY__TIMEFRAMES_MAX];
} request;

static hy_status read_window(const hy_features *f, const hy_universe_info *info,
                             const hy_features_window *w, request *r, made *out, hy_error *err) {
  const char *name = w->timeframe ? w->timeframe : "";
  int64_t ns;
  out->tf = find_timeframe(f, name);
  out->n = out->tf == NO_TIMEFRAME ? 0 : hy__features_list(f, out->tf, r->own + out->first);
  HY_FAIL_IF(out->n == 0, HY_NOT_FOUND, err, "the spec has no feature at timeframe \"%.40s\"",
             name);
  HY_FAIL_IF(out->tf == 0 && name[0] && hy__timeframe_parse(name, &ns, NULL) == HY_OK &&
                 info->timeframe_ns && ns != info->timeframe_ns,
             HY_MISMATCH, err, "a window of %.20s, the universe has timeframe %.20s", name,
             info->timeframe);
  HY_FAIL_IF(w->n_bars == 0 || w->n_bars > HY__WINDOW_MAX, HY_INVALID_ARGUMENT, err,
             "a window of %zu bars, 1 to %d are possible", w->n_bars, (int)HY__WINDOW_MAX);
  HY_FAIL_IF(r->bars[out->tf] != 0, HY_INVALID_ARGUMENT, err, "two windows of timeframe \"%.40s\"",
             name);
  out->n_bars = r->bars[out->tf] = w->n_bars;
  return HY_OK;
}

static hy_status check(const hy_universe_info *info, hy_features_windows_options *o,
                       hy_error *err) {
  if (!o->t_end && !o->t_begin && info->n_bars) {
    o->t_end = info->n_bars;
    o->t_begin = o->t_end - 1;
  }
  HY_FAIL_IF(o->t_begin >= o->t_end || o->t_end > info->n_bars, HY_INVALID_ARGUMENT, err,
             "rows [%zu, %zu) asked of a universe of %zu bars", o->t_begin, o->t_end, info->n_bars);
  HY_FAIL_IF(o->dtype != HY_DTYPE_NONE && o->dtype != HY_F64 && o->dtype != HY_F32,
             HY_INVALID_ARGUMENT, err, "windows are written as f8 or f4");
  HY_FAIL_IF(o->n_windows == 0 || o->n_windows > HY__TIMEFRAMES_MAX, HY_INVALID_ARGUMENT, err,
             "%zu windows, 1 to %d are possible", o->n_windows, (int)HY__TIMEFRAMES_MAX);
  return HY_OK;
}

static hy_status run_windows(const hy_features *f, const hy_universe *universe,
                             const hy_features_windows_options *o, request *r, hy_error *err) {
  hy__feature_run *run;
  job j = {.windows = r->windows,
           .n_windows = o->n_windows,
           .narrow = o->dtype != HY_F64,
           .skip_missing = hy__features_skip_missing(f)};
  hy__feature_range range = {
      .t_begin = o->t_begin, .t_end = o->t_end, .own = r->own, .own_bars = r->bars};
  for (size_t i = 0; i < o->n_windows; i++) range.n_own += r->windows[i].n;
  HY_TRY(hy__feature_run_create(f, universe, range, &run, err));
  j.run = run;
  hy__compute_out out = {.take = take_block, .take_ctx = &j};
  hy_status status = hy__compute_run(run, &out, err);
  hy__feature_run_destroy(run);
  return status;
}

hy_status hy_features_windows(const hy_features *f, const hy_universe *universe,
                              const hy_features_windows_options *options, void *const *out,
                              hy_error *err) {
  HY_FAIL_IF(!f || !universe || !options || !options->windows || !out, HY_INVALID_ARGUMENT, err,
             "hy_features_windows: features, universe, windows and out must be given");
  hy_features_windows_options o = {0};
  hy_universe_info info = {.struct_size = sizeof info};
  request r = {0};
  void *memory;
  memcpy(&o, options, HY_MIN(options->struct_size, sizeof o));
  hy_universe_describe(universe, &info);
  HY_TRY(check(&info, &o, err));
  HY_TRY(hy__alloc_array(f->allocator, f->n_features, sizeof(uint32_t), &memory, err));
  r.own = memory;
  hy_status status = HY_OK;
  size_t n = 0;
  for (size_t i = 0; i < o.n_windows && status == HY_OK; i++) {
    r.windows[i] = (made){.first = n, .out = out[i]};
    status = read_window(f, &info, &o.windows[i], &r, &r.windows[i], err);
    n += r.windows[i].n;
  }
  if (status == HY_OK) status = run_windows(f, universe, &o, &r, err);
  hy__free(f->allocator, r.own, f->n_features * sizeof(uint32_t));
  return status;
}
