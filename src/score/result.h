/* SPDX-License-Identifier: Apache-2.0
 * The answer of a scoring run in memory: panels [row, symbol] of scores, ranks and flags, what the
 * run cost, and the evaluation. Filled by job.c, rank.c and evaluate.c, read by the writers. */
#ifndef HY_SCORE_RESULT_H
#define HY_SCORE_RESULT_H

#include <hayate/score.h>

#include "base/base.h"
#include "market/market.h"
#include "score/evaluate.h"
#include "score/pipeline.h"

typedef enum hy__flag {
#define HY_FLAG(number, name, word, text) HY__FLAG_##name = number,
#include "score/flag.inc"
#undef HY_FLAG
} hy__flag;

const char *hy__flag_word(uint8_t flag);

struct hy_score_result {
  const hy_pipeline *pipeline; /* borrowed: outlives the result */
  const hy_allocator *allocator;
  hy_universe *universe;
  hy_universe *raw; /* what `universe` was adjusted of, or NULL */
  hy_universe_info info;
  char *universe_path, *actions_path; /* the second NULL without actions */
  bool strict, evaluated, is_range;
  hy_history history;
  size_t history_bars; /* fed before the first row, with HY_HISTORY_STABLE */

  /* Rows of the panels: universe rows [row_begin, row_begin + n_rows); the first `n_lead` (0 or 1)
   * are there for the change of rank alone and are not part of the answer. */
  size_t row_begin, n_rows, n_lead, n_symbols, n_models;
  double *score;       /* [n_rows, n_symbols], NaN where there is none */
  double *model_score; /* [n_models, n_rows, n_symbols] */
  uint8_t *flag;       /* [n_rows, n_symbols] */
  uint8_t *model_flag; /* [n_models, n_rows, n_symbols] */
  uint32_t *rank;      /* [n_rows, n_symbols] 1 is the highest score, 0 none */
  double *close;       /* [n_rows, n_symbols] the last close at or before the row, NaN if none */
  uint32_t *age_bars;  /* [n_rows, n_symbols] rows since that close; UINT32_MAX if none */
  uint64_t *covered;   /* [n_features] cells present among those of all answers' last window rows */
  uint64_t n_cells;    /* cells looked at per feature */
  hy_error read_error; /* the first block that could not be read, in block order */

  int64_t load_ns, open_ns, plan_ns, phase_ns, read_ns, compute_ns, inference_ns, close_ns,
      start_ns, end_ns;
  uint32_t n_workers;
  float *unit_us; /* [n_units] time per symbol of each unit of work, for the latency plot */
  size_t n_units;
  size_t peak_anon_bytes;
  hy_score_totals totals;

  hy__evaluation evaluation;
  hy__evaluation baselines[HY__N_BASELINES];
};

static inline size_t hy__result_cell(const hy_score_result *r, size_t row, size_t symbol) {
  return row * r->n_symbols + symbol;
}

HY_CHECKED hy_status hy__result_alloc(hy_score_result *r, hy_error *err);
/* Combines the models' scores, ranks each row, fills flags and totals. */
HY_CHECKED hy_status hy__result_combine(hy_score_result *r, hy_error *err);
/* Last closes and ages of every cell. */
HY_CHECKED hy_status hy__result_closes(hy_score_result *r, hy_error *err);
/* The evaluation of the answer's rows, and of the baselines beside it (assess.c). */
HY_CHECKED hy_status hy__result_evaluate(hy_score_result *r, hy_error *err);
/* Indices of the symbols of a row by rank, those without a score last in symbol order. order:
 * [n_symbols]. */
void hy__result_order(const hy_score_result *r, size_t row, uint32_t *order);
/* INT32_MIN when there is no earlier rank; positive is upwards. */
int32_t hy__result_rank_change(const hy_score_result *r, size_t row, size_t symbol);
/* Row r's time. */
static inline int64_t hy__result_time_ns(const hy_score_result *r, size_t row) {
  return r->info.time_ns[r->row_begin + row];
}
void hy__result_totals(hy_score_result *r);

/* Scores the last n_rows of a panel, which must outlive the result; fewer or as many bars:
 * NEED_MORE_DATA. */
HY_CHECKED hy_status hy__score_panel(const hy_pipeline *pipeline, const hy_panel *panel,
                                     size_t n_rows, hy_score_result **out, hy_error *err);

#endif
