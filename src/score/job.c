/* SPDX-License-Identifier: Apache-2.0
 * The main job: a universe through features and models. Units of 16 symbols go over the workers;
 * the cross-section stands at a barrier between stages; what a unit computes does not depend on who
 * computes it or beside whom. */
#include "score/job.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct worker {
  void *workspace;
  double *features; /* [8, n_rows, n_features] of one block */
  uint32_t *rows;   /* [n_rows] of one lane */
  uint8_t *present; /* [n_rows] of one block */
  hy__batch *batches;
  uint64_t *covered;
  uint64_t n_cells;
  int64_t feature_ns[2], inference_ns;
  size_t anon_bytes;
} worker;

typedef struct job {
  const hy_pipeline *p;
  const hy_score_options *options;
  hy_score_result *r;
  const hy_allocator *a;
  hy__feature_run *run;
  hy__feature_bars *bars[HY__PIPELINE_TIMEFRAMES_MAX]; /* what models take of slower timeframes */
  size_t t_begin, t_end, n_rows;                       /* rows of features: [t_begin, t_end) */
  size_t n_features, n_blocks, n_units, workspace_bytes;
  uint32_t n_stages, n_workers, stage;
  bool skip_missing;
  worker *workers;
  hy_error *block_error; /* [n_blocks] */
  int64_t deadline_ns;
  _Atomic size_t n_done;
} job;

/* ---- the range ---- */

/* A time after the universe's end is answered with its last bar; far after it, that is worth
 * saying. */
static void warn_of_the_end(const hy_score_result *r, const char *asked) {
  const int64_t few_days_ns = INT64_C(4) * 86400 * 1000000000;
  int64_t asked_ns = 0, last_ns = r->info.time_ns[r->info.n_bars - 1];
  if (!asked || strcmp(asked, "last") == 0) return;
  if (hy__time_parse(asked, r->info.zone, &asked_ns, NULL) != HY_OK) return;
  if (asked_ns - last_ns <= HY_MAX(few_days_ns, 2 * r->info.timeframe_ns)) return;
  char last[40];
  hy__time_format(last_ns, last);
  hy__log(r->pipeline->runtime, HY_LOG_WARN, "the universe ends before the time that was asked for",
          (hy__log_field[]){HY_LOG_TEXT("asked", asked), HY_LOG_TEXT("last_bar", last)}, 2);
}

static hy_status find_range(hy_score_result *r, const hy_score_options *o, hy_error *err) {
  HY_FAIL_IF(r->info.n_symbols == 0, HY_NEED_MORE_DATA, err, "the universe has no symbols");
  HY_FAIL_IF(o->evaluate && o->at, HY_INVALID_ARGUMENT, err,
             "--evaluate needs a range: give --from and --to, or neither for all bars");
  size_t begin = 0, end = 0;
  r->is_range = !o->at && (o->from || o->to || o->evaluate);
  const char *at = r->is_range || o->at ? o->at : "last";
  HY_TRY(hy_universe_find_rows(r->universe, at, o->from, o->to, &begin, &end, err));
  warn_of_the_end(r, r->is_range ? o->to : o->at);
  r->n_lead = begin > 0 ? 1 : 0;
  r->row_begin = begin - r->n_lead;
  r->n_rows = end - r->row_begin;
  return HY_OK;
}

/* How far before t_end lane `lane` reaches for `want` bars; mask holds the block's rows [begin,
 * t_end). */
static size_t rows_back(const uint8_t *mask, size_t n_rows, size_t n_answers, int lane,
                        size_t want) {
  size_t first = n_rows; /* the lane's first bar among the answers' rows */
  for (size_t t = n_rows - n_answers; t < n_rows && first == n_rows; t++) {
    if (mask[t] >> lane & 1) first = t;
  }
  if (first == n_rows) return n_answers;
  size_t count = 0, t = first + 1;
  while (t > 0 && count < want) count += mask[--t] >> lane & 1;
  return count == want ? n_rows - t : SIZE_MAX;
}

/* Rows before t_end that a block needs so that each symbol's window is full of its own bars. */
static hy_status block_reach(const job *j, size_t block, uint8_t *mask, size_t *reach,
                             hy_error *err) {
  size_t n_answers = j->r->n_rows, window = j->p->window;
  size_t plain = HY_MIN(n_answers + window - 1, j->t_end);
  *reach = plain;
  for (size_t n = plain;; n = HY_MIN(n * 4, j->t_end)) {
    bool all = false;
    HY_TRY(hy__universe_present(j->r->universe, block, j->t_end - n, j->t_end, mask, &all, err));
    if (all) {
      *reach = HY_MAX(*reach, plain);
      return HY_OK;
    }
    bool deeper = false;
    for (int lane = 0; lane < HY_LANES; lane++) {
      size_t back = rows_back(mask, n, n_answers, lane, window);
      if (back == SIZE_MAX) {
        deeper = true;
      } else {
        *reach = HY_MAX(*reach, back);
      }
    }
    if (!deeper || n == j->t_end) {
      if (deeper) *reach = j->t_end;
      return HY_OK;
    }
  }
}

static hy_status find_feature_rows(job *j, hy_error *err) {
  hy_score_result *r = j->r;
  j->t_end = r->row_begin + r->n_rows;
  size_t reach = HY_MIN(r->n_rows + j->p->window - 1, j->t_end);
  hy_status status = HY_OK;
  if (j->skip_missing && j->p->window > 1) {
    void *mask = NULL;
    HY_TRY(hy__alloc(j->a, j->t_end, &mask, err));
    for (size_t b = 0; b < j->n_blocks && status == HY_OK; b++) {
      size_t back = 0;
      status = block_reach(j, b, mask, &back, err);
      if (status == HY_OK) reach = HY_MAX(reach, back);
      if (status == HY_IO || status == HY_BAD_FORMAT)
        status = HY_OK; /* said again when it is scored */
    }
    hy__free(j->a, mask, j->t_end);
  }
  j->t_begin = j->t_end - reach;
  j->n_rows = reach;
  return status;
}

/* ---- set-up ---- */

static hy_status worker_init(job *j, worker *w, hy_error *err) {
  void *memory = NULL;
  size_t cells = 0;
  HY_TRY(hy__alloc(j->a, j->workspace_bytes, &memory, err));
  w->workspace = memory;
  HY_FAIL_IF(!hy__mul(j->n_rows, j->n_features * HY_LANES, &cells), HY_LIMIT, err, "too many rows");
  HY_TRY(hy__alloc_array(j->a, cells, sizeof(double), &memory, err));
  w->features = memory;
  HY_TRY(hy__alloc_array(j->a, j->n_rows, sizeof(uint32_t), &memory, err));
  w->rows = memory;
  HY_TRY(hy__alloc(j->a, j->n_rows, &memory, err));
  w->present = memory;
  HY_TRY(hy__alloc_zero(j->a, j->n_features * sizeof(uint64_t), &memory, err));
  w->covered = memory;
  HY_TRY(hy__alloc_zero(j->a, j->p->n_models * sizeof(hy__batch), &memory, err));
  w->batches = memory;
  size_t samples =
      HY_MIN(j->r->n_symbols, (size_t)HY__JOB_BLOCKS_PER_UNIT * HY_LANES) * j->r->n_rows;
  for (size_t m = 0; m < j->p->n_models; m++) {
    HY_TRY(hy__batch_init(&w->batches[m], j->p, m, j->r, samples, err));
    w->batches[m].bars = j->bars;
  }
  return HY_OK;
}

static void worker_destroy(job *j, worker *w) {
  for (size_t m = 0; w->batches && m < j->p->n_models; m++)
    hy__batch_destroy(&w->batches[m], j->p, j->a);
  hy__free(j->a, w->batches, j->p->n_models * sizeof(hy__batch));
  hy__free(j->a, w->covered, j->n_features * sizeof(uint64_t));
  hy__free(j->a, w->present, j->n_rows);
  hy__free(j->a, w->rows, j->n_rows * sizeof(uint32_t));
  hy__free(j->a, w->features, j->n_rows * j->n_features * HY_LANES * sizeof(double));
  hy__free(j->a, w->workspace, j->workspace_bytes);
}

static hy_status history_start(const job *j, size_t *t_start, hy_error *err) {
  *t_start = 0;
  if (j->options->history != HY_HISTORY_STABLE) return HY_OK;
  size_t bars = 0;
  HY_TRY(hy__feature_stable_bars(j->p->features, 1e-9, &bars, err));
  *t_start = bars < j->t_begin ? j->t_begin - bars : 0;
  j->r->history_bars = j->t_begin - *t_start;
  return HY_OK;
}

/* Slower timeframes that models take windows of, for the rows that are answered: with the full
 * history, since --history stable counts bars of the universe before them alone. */
static hy_status open_bars(job *j, hy__feature_range range, hy_error *err) {
  range.t_begin = j->t_end - j->r->n_rows;
  range.t_start = 0;
  for (uint32_t tf = 1; tf < HY__PIPELINE_TIMEFRAMES_MAX; tf++) {
    const hy__bars_want want = {.timeframe = tf, .n_bars = j->p->n_bars[tf]};
    if (want.n_bars)
      HY_TRY(
          hy__feature_bars_create(j->p->features, j->r->universe, range, &want, &j->bars[tf], err));
  }
  return HY_OK;
}

static hy_status job_init(job *j, hy_error *err) {
  hy_score_result *r = j->r;
  j->a = r->allocator;
  j->n_features = j->p->spec.n_features;
  j->n_blocks = hy__universe_n_blocks(r->n_symbols);
  j->n_units = (j->n_blocks + HY__JOB_BLOCKS_PER_UNIT - 1) / HY__JOB_BLOCKS_PER_UNIT;
  j->skip_missing = hy__features_skip_missing(j->p->features);
  j->n_workers = hy__pool_n_workers(hy__runtime_pool(j->p->runtime));
  r->n_workers = j->n_workers;
  HY_TRY(find_feature_rows(j, err));
  hy__feature_range range = {.t_begin = j->t_begin, .t_end = j->t_end};
  HY_TRY(history_start(j, &range.t_start, err));
  HY_TRY(hy__feature_run_create(j->p->features, r->universe, range, &j->run, err));
  HY_TRY(open_bars(j, range, err));
  j->n_stages = hy__feature_run_n_stages(j->run);
  j->workspace_bytes = hy__feature_run_workspace_bytes(j->run);
  void *memory = NULL;
  HY_TRY(hy__alloc_zero(j->a, j->n_units * sizeof(float), &memory, err));
  r->unit_us = memory;
  r->n_units = j->n_units;
  HY_TRY(hy__alloc_zero(j->a, j->n_blocks * sizeof(hy_error), &memory, err));
  j->block_error = memory;
  HY_TRY(hy__alloc_zero(j->a, j->n_workers * sizeof(worker), &memory, err));
  j->workers = memory;
  for (uint32_t k = 0; k < j->n_workers; k++) HY_TRY(worker_init(j, &j->workers[k], err));
  return HY_OK;
}

static void job_destroy(job *j) {
  for (uint32_t k = 0; j->workers && k < j->n_workers; k++) worker_destroy(j, &j->workers[k]);
  hy__free(j->a, j->workers, j->n_workers * sizeof(worker));
  hy__free(j->a, j->block_error, j->n_blocks * sizeof(hy_error));
  for (size_t tf = 0; tf < HY__PIPELINE_TIMEFRAMES_MAX; tf++)
    hy__feature_bars_destroy(j->bars[tf], j->p->features);
  hy__feature_run_destroy(j->run);
}

/* ---- one unit ---- */

static hy_status stop_asked(const job *j, hy_error *err) {
  if (j->options->cancel && *j->options->cancel) HY_FAIL(HY_CANCELLED, err, "interrupted");
  return HY_OK;
}

static bool too_late(const job *j, int64_t unit_start_ns, size_t n_symbols) {
  int64_t now_ns = hy__clock_monotonic_ns();
  if (j->deadline_ns && now_ns > j->deadline_ns) return true;
  uint64_t limit_ns = j->options->symbol_limit_ns;
  return limit_ns && (uint64_t)(now_ns - unit_start_ns) / n_symbols > limit_ns;
}

static void flag_symbol(job *j, size_t symbol, uint8_t flag) {
  hy_score_result *r = j->r;
  for (size_t m = 0; m < r->n_models; m++) {
    for (size_t row = 0; row < r->n_rows; row++) {
      r->model_flag[(m * r->n_rows + row) * r->n_symbols + symbol] = flag;
    }
  }
}

static void flag_block(job *j, size_t block, uint8_t flag) {
  size_t end = HY_MIN((block + 1) * HY_LANES, j->r->n_symbols);
  for (size_t s = block * HY_LANES; s < end; s++) flag_symbol(j, s, flag);
}

/* A block whose data cannot be read is its symbols' line in the answer; other failures end the run.
 */
static hy_status block_trouble(job *j, size_t block, hy_status status, hy_error *err) {
  if (status != HY_IO && status != HY_BAD_FORMAT) return status;
  j->block_error[block] = *err;
  hy_error_clear(err);
  flag_block(j, block, HY__FLAG_READ_ERROR);
  return HY_OK;
}

/* The lane's rows that count: its own bars where missing bars do not exist, else all. */
static void lane_rows(const job *j, worker *w, int lane, hy__lane_rows *out) {
  out->features = w->features + (size_t)lane * j->n_rows * j->n_features;
  out->n_rows = j->n_rows;
  out->n_features = j->n_features;
  out->n_used = j->n_rows;
  out->rows = NULL;
  if (!j->skip_missing) return;
  size_t n = 0;
  for (size_t t = 0; t < j->n_rows; t++) {
    w->rows[n] = (uint32_t)t;
    n += w->present[t] >> lane & 1;
  }
  out->n_used = n;
  out->rows = w->rows;
}

static void count_coverage(const job *j, worker *w, const hy__lane_rows *lane, size_t used) {
  size_t row = lane->rows ? lane->rows[used] : used;
  const double *cells = lane->features + row * j->n_features;
  for (size_t f = 0; f < j->n_features; f++) w->covered[f] += !isnan(cells[f]);
  w->n_cells++;
}

/* Why cells that no model saw stay empty, by what the symbol has. */
static uint8_t empty_flag(uint32_t n_bars) { return n_bars ? HY__FLAG_NO_BAR : HY__FLAG_NO_DATA; }

static hy_status score_lane(job *j, worker *w, size_t symbol, int lane, uint32_t n_bars,
                            hy_error *err) {
  hy_score_result *r = j->r;
  hy__lane_rows rows;
  lane_rows(j, w, lane, &rows);
  rows.symbol = symbol;
  rows.t_begin = j->t_begin;
  flag_symbol(j, symbol, empty_flag(n_bars));
  size_t first_answer = j->n_rows - r->n_rows, plane = r->n_rows * r->n_symbols;
  for (size_t k = 0; k < rows.n_used; k++) {
    size_t t = rows.rows ? rows.rows[k] : k;
    if (t < first_answer) continue;
    HY_TRY(stop_asked(j, err)); /* a unit of a long range lasts longer than people wait */
    size_t cell = hy__result_cell(r, t - first_answer, symbol);
    bool has_bar = w->present[t] >> lane & 1;
    if (t - first_answer >= r->n_lead && has_bar) count_coverage(j, w, &rows, k);
    for (size_t m = 0; m < r->n_models; m++) {
      HY_TRY(hy__batch_add(&w->batches[m], &rows, k, cell, err));
      uint8_t *flag = &r->model_flag[m * plane + cell];
      bool missing = *flag == HY__FLAG_MISSING;
      if (missing && !has_bar) *flag = empty_flag(n_bars);
      if (missing && has_bar && n_bars <= j->p->spec.lookback_bars) *flag = HY__FLAG_SHORT_HISTORY;
    }
  }
  return HY_OK;
}

static hy_status score_block(job *j, worker *w, size_t block, int64_t unit_start_ns,
                             hy_error *err) {
  uint32_t n_bars[HY_LANES] = {0};
  bool all = false;
  if (too_late(j, unit_start_ns, HY_LANES)) {
    flag_block(j, block, HY__FLAG_TIMED_OUT);
    return HY_OK;
  }
  hy_status status = hy__feature_run_block(j->run, j->n_stages - 1, block, w->workspace,
                                           w->features, n_bars, w->feature_ns, err);
  if (status == HY_OK) {
    status =
        hy__universe_present(j->r->universe, block, j->t_begin, j->t_end, w->present, &all, err);
  }
  if (status != HY_OK) return block_trouble(j, block, status, err);
  int64_t start_ns = hy__clock_monotonic_ns();
  size_t end = HY_MIN((block + 1) * HY_LANES, j->r->n_symbols);
  for (size_t s = block * HY_LANES; s < end; s++) {
    if (too_late(j, unit_start_ns, HY_LANES)) {
      flag_symbol(j, s, HY__FLAG_TIMED_OUT);
      continue;
    }
    int lane = (int)(s % HY_LANES);
    HY_TRY(score_lane(j, w, s, lane, n_bars[lane], err));
  }
  w->inference_ns += hy__clock_monotonic_ns() - start_ns;
  return HY_OK;
}

static bool report_progress(job *j) {
  if (!j->options->progress) return true;
  size_t done = atomic_load_explicit(&j->n_done, memory_order_relaxed);
  return j->options->progress(j->options->progress_ctx, done * HY_LANES * HY__JOB_BLOCKS_PER_UNIT,
                              j->n_units * j->n_stages * HY_LANES * HY__JOB_BLOCKS_PER_UNIT,
                              "symbols");
}

static hy_status finish_unit(job *j, worker *w, uint32_t worker_index, size_t unit,
                             int64_t start_ns, hy_error *err) {
  size_t first = unit * HY__JOB_BLOCKS_PER_UNIT * HY_LANES;
  size_t n = HY_MIN((size_t)HY__JOB_BLOCKS_PER_UNIT * HY_LANES, j->r->n_symbols - first);
  j->r->unit_us[unit] += (float)((double)(hy__clock_monotonic_ns() - start_ns) * 1e-3 / (double)n);
  atomic_fetch_add_explicit(&j->n_done, 1, memory_order_relaxed); /* a count for the bar alone */
  if (worker_index != 0) return HY_OK;
  if (unit % 8 == 0) w->anon_bytes = HY_MAX(w->anon_bytes, hy__memory_anon_bytes());
  HY_FAIL_IF(!report_progress(j), HY_CANCELLED, err, "interrupted");
  return HY_OK;
}

/* A block of a stage before a cross-section. */
static hy_status prepare_block(job *j, worker *w, size_t block, hy_error *err) {
  uint32_t n_bars[HY_LANES];
  hy_status status = hy__feature_run_block(j->run, j->stage, block, w->workspace, NULL, n_bars,
                                           w->feature_ns, err);
  return status == HY_OK ? HY_OK : block_trouble(j, block, status, err);
}

static hy_status flush_batches(job *j, worker *w, hy_error *err) {
  int64_t start_ns = hy__clock_monotonic_ns();
  for (size_t m = 0; m < j->p->n_models; m++) HY_TRY(hy__batch_flush(&w->batches[m], err));
  w->inference_ns += hy__clock_monotonic_ns() - start_ns;
  return HY_OK;
}

/* hy__pool_fn of a stage: the last one scores, those before prepare cross-sections. */
static hy_status run_units(void *ctx, uint32_t worker_index, size_t begin, size_t end,
                           hy_error *err) {
  job *j = ctx;
  worker *w = &j->workers[worker_index];
  bool last_stage = j->stage + 1 == j->n_stages;
  for (size_t unit = begin; unit < end; unit++) {
    HY_TRY(stop_asked(j, err));
    int64_t start_ns = hy__clock_monotonic_ns();
    size_t first = unit * HY__JOB_BLOCKS_PER_UNIT;
    size_t last = HY_MIN(first + HY__JOB_BLOCKS_PER_UNIT, j->n_blocks);
    for (size_t b = first; b < last; b++) {
      HY_TRY(last_stage ? score_block(j, w, b, start_ns, err) : prepare_block(j, w, b, err));
    }
    if (last_stage) HY_TRY(flush_batches(j, w, err));
    HY_TRY(finish_unit(j, w, worker_index, unit, start_ns, err));
  }
  return HY_OK;
}

static hy_status cross_rows(void *ctx, uint32_t worker_index, size_t begin, size_t end,
                            hy_error *err) {
  job *j = ctx;
  worker *w = &j->workers[worker_index];
  int64_t start_ns = hy__clock_monotonic_ns();
  HY_TRY(hy__feature_run_cross(j->run, j->stage, begin, end, w->workspace, err));
  w->feature_ns[1] += hy__clock_monotonic_ns() - start_ns;
  return HY_OK;
}

static hy_status run_stages(job *j, hy_error *err) {
  hy__pool *pool = hy__runtime_pool(j->p->runtime);
  for (j->stage = 0; j->stage + 1 < j->n_stages; j->stage++) {
    HY_TRY(hy__pool_for(pool, j->n_units, 1, run_units, j, err));
    size_t rows = hy__feature_run_cross_rows(j->run, j->stage);
    HY_TRY(hy__pool_for(pool, rows, HY_MAX(rows / 64, (size_t)1), cross_rows, j, err));
  }
  return hy__pool_for(pool, j->n_units, 1, run_units, j, err);
}

/* ---- after the work ---- */

static void gather_workers(job *j) {
  hy_score_result *r = j->r;
  for (uint32_t k = 0; k < j->n_workers; k++) {
    const worker *w = &j->workers[k];
    for (size_t f = 0; f < j->n_features; f++) r->covered[f] += w->covered[f];
    r->n_cells += w->n_cells;
    r->read_ns += w->feature_ns[0];
    r->compute_ns += w->feature_ns[1];
    r->inference_ns += w->inference_ns;
    r->peak_anon_bytes = HY_MAX(r->peak_anon_bytes, w->anon_bytes);
  }
  for (size_t b = 0; b < j->n_blocks && r->read_error.status == HY_OK; b++)
    r->read_error = j->block_error[b];
}

static hy_status run_job(hy_score_result *r, const hy_score_options *options, hy_error *err) {
  job j = {.p = r->pipeline, .options = options, .r = r};
  if (options->run_limit_ns) j.deadline_ns = r->start_ns + (int64_t)options->run_limit_ns;
  int64_t start_ns = hy__clock_monotonic_ns();
  hy_status status = job_init(&j, err);
  int64_t ready_ns = hy__clock_monotonic_ns();
  r->plan_ns = ready_ns - start_ns;
  if (status == HY_OK) status = run_stages(&j, err);
  r->phase_ns = hy__clock_monotonic_ns() - ready_ns;
  r->peak_anon_bytes = HY_MAX(r->peak_anon_bytes, hy__memory_anon_bytes());
  if (status == HY_OK) gather_workers(&j);
  job_destroy(&j);
  return status;
}

static hy_status keep_path(hy_score_result *r, const char *path, char **out, hy_error *err) {
  void *memory = NULL;
  HY_TRY(hy__alloc(r->allocator, strlen(path) + 1, &memory, err));
  *out = memcpy(memory, path, strlen(path) + 1);
  return HY_OK;
}

/* The rows are known. */
static hy_status fill_rows(hy_score_result *r, const hy_score_options *o, hy_error *err) {
  r->n_symbols = r->info.n_symbols;
  r->n_models = r->pipeline->n_models;
  r->history = o->history;
  r->strict = o->strict;
  HY_TRY(hy__result_alloc(r, err));
  HY_TRY(run_job(r, o, err));
  HY_TRY(hy__result_combine(r, err));
  int64_t close_ns = hy__clock_monotonic_ns();
  HY_TRY(hy__result_closes(r, err));
  r->close_ns = hy__clock_monotonic_ns() - close_ns;
  if (o->evaluate) HY_TRY(hy__result_evaluate(r, err));
  return HY_OK;
}

/* The bars as they were known at the last row that is read: evaluation reads on. */
static hy_status adjust(hy_score_result *r, const char *path, bool evaluate, hy_error *err) {
  const size_t ahead = evaluate ? r->pipeline->horizon + 1 : 0;
  const size_t end = HY_MIN(r->row_begin + r->n_rows + ahead, r->info.n_bars);
  const int64_t as_of_ns = r->info.time_ns[end - 1];
  hy_runtime *runtime = r->pipeline->runtime;
  hy_universe *adjusted;
  hy_actions *actions;
  HY_TRY(keep_path(r, path, &r->actions_path, err));
  HY_TRY(hy_actions_read(runtime, path, r->info.zone, &actions, err));
  hy_status status = hy_universe_adjust(runtime, r->universe, actions, as_of_ns, &adjusted, err);
  hy_actions_destroy(actions);
  if (status != HY_OK) return status;
  r->raw = r->universe;
  r->universe = adjusted;
  hy_universe_describe(r->universe, &r->info);
  return HY_OK;
}

static hy_status fill(hy_score_result *r, const char *path, const hy_score_options *o,
                      hy_error *err) {
  HY_TRY(keep_path(r, path, &r->universe_path, err));
  int64_t open_ns = hy__clock_monotonic_ns();
  HY_TRY(hy_universe_open(r->pipeline->runtime, path, &r->universe, err));
  r->open_ns = hy__clock_monotonic_ns() - open_ns;
  r->info.struct_size = sizeof r->info;
  hy_universe_describe(r->universe, &r->info);
  HY_TRY(find_range(r, o, err));
  if (o->actions) HY_TRY(adjust(r, o->actions, o->evaluate, err));
  return fill_rows(r, o, err);
}

/* The answer is the panel's last rows, and one before them. */
static hy_status fill_panel(hy_score_result *r, const hy_panel *panel, size_t n_rows,
                            hy_error *err) {
  const hy_score_options o = {.struct_size = sizeof o};
  hy_panel bars = *panel;
  hy__features_forget_names(r->pipeline->features, &bars);
  HY_TRY(hy_universe_from_panel(r->pipeline->runtime, &bars, &r->universe, err));
  r->info.struct_size = sizeof r->info;
  hy_universe_describe(r->universe, &r->info);
  HY_FAIL_IF(n_rows >= r->info.n_bars, HY_NEED_MORE_DATA, err, "%zu bars, more than %zu are needed",
             r->info.n_bars, n_rows);
  r->n_lead = 1;
  r->n_rows = n_rows + 1;
  r->row_begin = r->info.n_bars - r->n_rows;
  return fill_rows(r, &o, err);
}

static hy_status result_new(const hy_pipeline *pipeline, hy_score_result **out, hy_error *err) {
  const hy_allocator *a = hy__runtime_allocator(pipeline->runtime);
  void *memory = NULL;
  HY_TRY(hy__alloc_zero(a, sizeof(hy_score_result), &memory, err));
  *out = memory;
  (*out)->pipeline = pipeline;
  (*out)->allocator = a;
  (*out)->load_ns = pipeline->load_ns;
  (*out)->start_ns = hy__clock_monotonic_ns();
  return HY_OK;
}

hy_status hy__score_panel(const hy_pipeline *pipeline, const hy_panel *panel, size_t n_rows,
                          hy_score_result **out, hy_error *err) {
  hy_error local; /* blocks' own troubles pass through it and are cleared again */
  hy_error_clear(&local);
  HY_TRY(result_new(pipeline, out, err));
  hy_status status = fill_panel(*out, panel, n_rows, &local);
  if (status == HY_OK) return HY_OK;
  if (err) *err = local;
  hy_score_result_destroy(*out);
  *out = NULL;
  return status;
}

/* One run into a fresh result. */
static hy_status run_once(const hy_pipeline *pipeline, const char *path,
                          const hy_score_options *options, hy_score_result **out, hy_error *err) {
  hy_score_result *r;
  HY_TRY(result_new(pipeline, &r, err));
  hy_error local; /* blocks' own troubles pass through it and are cleared again */
  hy_error_clear(&local);
  hy_status status = fill(r, path, options, &local);
  r->end_ns = hy__clock_monotonic_ns();
  if (status != HY_OK) {
    if (err) *err = local;
    hy_score_result_destroy(r);
    return status;
  }
  hy__result_totals(r);
  *out = r;
  return HY_OK;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* The totals' times that --repeat takes medians of. */
enum { N_TIMES = 6 };
static void times_of(hy_score_totals *t, double *times[N_TIMES]) {
  double *const all[N_TIMES] = {&t->read_ms,  &t->features_ms, &t->inference_ms,
                                &t->write_ms, &t->elapsed_ms,  &t->symbols_per_s};
  memcpy(times, all, sizeof all);
}

static hy_status run_repeatedly(const hy_pipeline *pipeline, const char *path,
                                const hy_score_options *options, hy_score_result **out,
                                hy_error *err) {
  const hy_allocator *a = hy__runtime_allocator(pipeline->runtime);
  size_t n = options->repeat;
  void *memory = NULL;
  HY_TRY(hy__alloc_array(a, n * N_TIMES, sizeof(double), &memory, err));
  double *samples = memory, *times[N_TIMES];
  hy_score_result *r = NULL;
  hy_status status = HY_OK;
  for (size_t k = 0; k < n && status == HY_OK; k++) {
    hy_score_result_destroy(r);
    r = NULL;
    status = run_once(pipeline, path, options, &r, err);
    if (status != HY_OK) break;
    times_of(&r->totals, times);
    for (size_t j = 0; j < N_TIMES; j++) samples[j * n + k] = *times[j];
  }
  for (size_t j = 0; j < N_TIMES && status == HY_OK; j++) {
    qsort(samples + j * n, n, sizeof *samples, by_size);
    *times[j] = samples[j * n + n / 2];
  }
  hy__free(a, memory, n * N_TIMES * sizeof(double));
  *out = r;
  return status;
}

hy_status hy_score_run(const hy_pipeline *pipeline, const char *universe_path,
                       const hy_score_options *options, hy_score_result **out, hy_error *err) {
  HY_FAIL_IF(!pipeline || !universe_path || !out, HY_INVALID_ARGUMENT, err,
             "pipeline, universe_path and out are required");
  hy_score_options o = {.struct_size = sizeof o};
  if (options) memcpy(&o, options, HY_MIN(options->struct_size, sizeof o));
  *out = NULL;
  return o.repeat > 1 ? run_repeatedly(pipeline, universe_path, &o, out, err)
                      : run_once(pipeline, universe_path, &o, out, err);
}
