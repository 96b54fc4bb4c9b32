/* SPDX-License-Identifier: Apache-2.0
 * The result's memory, its ranking, and the small questions that every writer asks of it. */
#include "score/result.h"

#include <math.h>
#include <stdlib.h>

const char *hy__flag_word(uint8_t flag) {
  switch (flag) {
#define HY_FLAG(number, name, word, text)                                                          \
  case number:                                                                                     \
    return word;
#include "score/flag.inc"
#undef HY_FLAG
  default: return "unknown";
  }
}

static hy_status alloc_panel(hy_score_result *r, size_t n_planes, size_t each, void **out,
                             hy_error *err) {
  size_t cells = 0;
  HY_FAIL_IF(!hy__mul(r->n_rows, r->n_symbols, &cells) || !hy__mul(cells, n_planes, &cells),
             HY_LIMIT, err, "%zu rows of %zu symbols are too many", r->n_rows, r->n_symbols);
  return hy__alloc_array(r->allocator, cells, each, out, err);
}

hy_status hy__result_alloc(hy_score_result *r, hy_error *err) {
  void *memory = NULL;
  HY_TRY(alloc_panel(r, 1, sizeof(double), &memory, err));
  r->score = memory;
  HY_TRY(alloc_panel(r, r->n_models, sizeof(double), &memory, err));
  r->model_score = memory;
  HY_TRY(alloc_panel(r, 1, 1, &memory, err));
  r->flag = memory;
  HY_TRY(alloc_panel(r, r->n_models, 1, &memory, err));
  r->model_flag = memory;
  HY_TRY(alloc_panel(r, 1, sizeof(uint32_t), &memory, err));
  r->rank = memory;
  HY_TRY(alloc_panel(r, 1, sizeof(double), &memory, err));
  r->close = memory;
  HY_TRY(alloc_panel(r, 1, sizeof(uint32_t), &memory, err));
  r->age_bars = memory;
  HY_TRY(
      hy__alloc_zero(r->allocator, r->pipeline->spec.n_features * sizeof(uint64_t), &memory, err));
  r->covered = memory;
  size_t cells = r->n_rows * r->n_symbols;
  for (size_t k = 0; k < cells; k++) r->score[k] = NAN;
  for (size_t k = 0; k < cells * r->n_models; k++) {
    r->model_score[k] = NAN;
    r->model_flag[k] = HY__FLAG_NO_DATA;
  }
  memset(r->flag, HY__FLAG_NO_DATA, cells);
  memset(r->rank, 0, cells * sizeof(uint32_t));
  return HY_OK;
}

static void free_rows(hy_score_result *r, hy__evaluation *e) {
  size_t bytes = r->n_rows * sizeof(double);
  hy__free(r->allocator, e->row_ic, bytes);
  hy__free(r->allocator, e->row_rank_ic, bytes);
  hy__free(r->allocator, e->row_return, bytes);
  hy__free(r->allocator, e->row_turnover, bytes);
}

void hy_score_result_destroy(hy_score_result *r) {
  if (!r) return;
  const hy_allocator *a = r->allocator;
  size_t cells = r->n_rows * r->n_symbols;
  hy__free(a, r->score, cells * sizeof(double));
  hy__free(a, r->model_score, cells * r->n_models * sizeof(double));
  hy__free(a, r->flag, cells);
  hy__free(a, r->model_flag, cells * r->n_models);
  hy__free(a, r->rank, cells * sizeof(uint32_t));
  hy__free(a, r->close, cells * sizeof(double));
  hy__free(a, r->age_bars, cells * sizeof(uint32_t));
  hy__free(a, r->covered, r->pipeline->spec.n_features * sizeof(uint64_t));
  hy__free(a, r->unit_us, r->n_units * sizeof(float));
  if (r->universe_path) hy__free(a, r->universe_path, strlen(r->universe_path) + 1);
  if (r->actions_path) hy__free(a, r->actions_path, strlen(r->actions_path) + 1);
  free_rows(r, &r->evaluation);
  for (size_t k = 0; k < HY__N_BASELINES; k++) free_rows(r, &r->baselines[k]);
  hy_universe_destroy(r->universe);
  hy_universe_destroy(r->raw);
  hy__free(a, r, sizeof *r);
}

typedef struct order_context {
  const double *score;
} order_context;

/* Higher scores first, those without one last; ties by symbol order, so that the order is total. */
static int by_score(const void *a, const void *b, void *ctx) {
  const double *score = ((const order_context *)ctx)->score;
  uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
  bool no_i = isnan(score[i]), no_j = isnan(score[j]);
  if (no_i != no_j) return no_i ? 1 : -1;
  if (!no_i && score[i] != score[j]) return score[i] > score[j] ? -1 : 1;
  return i < j ? -1 : i > j;
}

void hy__result_order(const hy_score_result *r, size_t row, uint32_t *order) {
  order_context ctx = {r->score + row * r->n_symbols};
  for (size_t s = 0; s < r->n_symbols; s++) order[s] = (uint32_t)s;
  qsort_r(order, r->n_symbols, sizeof *order, by_score, &ctx);
}

int32_t hy__result_rank_change(const hy_score_result *r, size_t row, size_t symbol) {
  if (row == 0) return INT32_MIN;
  uint32_t now = r->rank[hy__result_cell(r, row, symbol)];
  uint32_t before = r->rank[hy__result_cell(r, row - 1, symbol)];
  return now && before ? (int32_t)before - (int32_t)now : INT32_MIN;
}

static void closes_of_block(hy_score_result *r, size_t block, const double *close, size_t n_before,
                            double *last, uint32_t *age) {
  size_t symbol0 = block * HY_LANES;
  size_t n_lanes = HY_MIN((size_t)HY_LANES, r->n_symbols - symbol0);
  for (size_t t = 0; t < n_before + r->n_rows; t++) {
    for (size_t k = 0; k < n_lanes; k++) {
      double value = close[t * HY_LANES + k];
      if (!isnan(value)) {
        last[k] = value;
        age[k] = 0;
      } else if (age[k] != UINT32_MAX) {
        age[k]++;
      }
      if (t < n_before) continue;
      size_t cell = hy__result_cell(r, t - n_before, symbol0 + k);
      r->close[cell] = last[k];
      r->age_bars[cell] = age[k];
    }
  }
}

/* True when every lane has a close in the first row wanted or before it. */
static bool all_found(const double *close, size_t n_before, size_t n_lanes) {
  for (size_t k = 0; k < n_lanes; k++) {
    size_t t = 0;
    while (t <= n_before && isnan(close[t * HY_LANES + k])) t++;
    if (t > n_before) return false;
  }
  return true;
}

/* Looks further back for a block until each lane has a close, or the beginning is reached. */
static hy_status block_closes(hy_score_result *r, int32_t field, size_t block, double *scratch,
                              hy_error *err) {
  size_t n_lanes = HY_MIN((size_t)HY_LANES, r->n_symbols - block * HY_LANES);
  for (size_t n_before = HY_MIN((size_t)16, r->row_begin);;
       n_before = HY_MIN(n_before * 8, r->row_begin)) {
    const double *close = NULL;
    HY_TRY(hy__universe_block(r->universe, field, block, r->row_begin - n_before,
                              r->row_begin + r->n_rows, scratch, &close, err));
    if (n_before < r->row_begin && !all_found(close, n_before, n_lanes)) continue;
    double last[HY_LANES];
    uint32_t age[HY_LANES];
    for (size_t k = 0; k < HY_LANES; k++) last[k] = NAN, age[k] = UINT32_MAX;
    closes_of_block(r, block, close, n_before, last, age);
    return HY_OK;
  }
}

hy_status hy__result_closes(hy_score_result *r, hy_error *err) {
  size_t cells = r->n_rows * r->n_symbols;
  for (size_t k = 0; k < cells; k++) r->close[k] = NAN, r->age_bars[k] = UINT32_MAX;
  int32_t field = hy__universe_field(r->universe, "close");
  if (field < 0) return HY_OK;
  void *scratch = NULL;
  size_t bytes = (r->row_begin + r->n_rows) * HY_LANES * sizeof(double);
  HY_TRY(hy__alloc(r->allocator, bytes, &scratch, err));
  hy_status status = HY_OK;
  for (size_t b = 0; b < hy__universe_n_blocks(r->n_symbols) && status == HY_OK; b++) {
    status = block_closes(r, field, b, scratch, err);
    /* A block that cannot be read is flagged already; its closes stay unknown. */
    if (status == HY_IO || status == HY_BAD_FORMAT) status = HY_OK;
  }
  hy__free(r->allocator, scratch, bytes);
  return status;
}

void hy__result_totals(hy_score_result *r) {
  hy_score_totals *t = &r->totals;
  t->struct_size = sizeof *t;
  t->symbols = r->n_symbols;
  t->bars = r->info.n_bars;
  t->features = r->pipeline->spec.n_features;
  t->scored = 0;
  for (size_t s = 0; s < r->n_symbols; s++) {
    size_t row = r->n_rows;
    bool found = false;
    while (row > r->n_lead && !found) {
      found = !isnan(r->score[hy__result_cell(r, --row, s)]);
      if (!r->is_range) break;
    }
    t->scored += found;
  }
  t->failed = t->symbols - t->scored;
  /* Workers' times are shares of the parallel phase's wall time. */
  double work_ns = (double)HY_MAX(r->read_ns + r->compute_ns + r->inference_ns, (int64_t)1);
  double phase_ms = (double)r->phase_ns * 1e-6;
  t->read_ms =
      (double)(r->open_ns + r->close_ns) * 1e-6 + phase_ms * ((double)r->read_ns / work_ns);
  t->features_ms = phase_ms * ((double)r->compute_ns / work_ns);
  t->inference_ms = (double)r->plan_ns * 1e-6 + phase_ms * ((double)r->inference_ns / work_ns);
  double run_ms = (double)(r->end_ns - r->start_ns) * 1e-6;
  t->elapsed_ms = (double)r->load_ns * 1e-6 + run_ms;
  t->symbols_per_s = run_ms > 0 ? (double)t->scored / (run_ms * 1e-3) : 0;
  t->peak_anon_bytes = r->peak_anon_bytes;
  t->peak_rss_bytes = hy__memory_peak_rss_bytes();
}

void hy_score_totals_get(const hy_score_result *result, hy_score_totals *totals) {
  if (!result || !totals) return;
  size_t bytes = HY_MIN(totals->struct_size, sizeof *totals);
  memcpy(totals, &result->totals, bytes);
  totals->struct_size = bytes;
}
