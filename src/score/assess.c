/* SPDX-License-Identifier: Apache-2.0
 * The evaluation of a result: its scores and the naive predictors against the closes that followed,
 * all by the same functions on the same rows. */
#include <math.h>

#include "score/result.h"

static hy_status rows_alloc(const hy_score_result *r, hy__evaluation *e, hy_error *err) {
  double **rows[] = {&e->row_ic, &e->row_rank_ic, &e->row_return, &e->row_turnover};
  for (size_t k = 0; k < HY_COUNT(rows); k++) {
    void *memory = NULL;
    HY_TRY(hy__alloc_array(r->allocator, r->n_rows, sizeof(double), &memory, err));
    *rows[k] = memory;
  }
  return HY_OK;
}

/* Closes of the answer's rows, one row before and horizon + 1 after, [row, symbol]. */
typedef struct closes {
  double *data;
  size_t n_before, n_rows, bytes;
} closes;

static hy_status read_closes(const hy_score_result *r, closes *c, hy_error *err) {
  size_t first = r->row_begin + r->n_lead, n_answers = r->n_rows - r->n_lead;
  size_t end = HY_MIN(first + n_answers + r->pipeline->horizon + 1, r->info.n_bars);
  c->n_before = first > 0 ? 1 : 0;
  c->n_rows = end - first + c->n_before;
  size_t cells = 0;
  HY_FAIL_IF(!hy__mul(c->n_rows, r->n_symbols, &cells) ||
                 !hy__mul(cells, sizeof(double), &c->bytes),
             HY_LIMIT, err, "the range is too long to evaluate");
  void *memory = NULL;
  HY_TRY(hy__alloc(r->allocator, c->bytes, &memory, err));
  c->data = memory;
  return hy_universe_read(r->universe, "close", first - c->n_before, end, c->data, err);
}

/* Periods of a year when the pipeline does not say: the bars per year that the universe's axis
 * shows. */
static double periods_per_year(const hy_score_result *r) {
  double given = r->pipeline->decision.periods_per_year;
  if (given > 0) return given;
  size_t n = r->info.n_bars;
  if (n < 2) return 1;
  double span_ns = (double)(r->info.time_ns[n - 1] - r->info.time_ns[0]);
  return ((double)n - 1.0) / (span_ns / (365.25 * 86400e9));
}

static void baseline_scores(const hy_score_result *r, const closes *c, int kind, double *out) {
  size_t n_answers = r->n_rows - r->n_lead, n = r->n_symbols;
  const double *scores = r->score + r->n_lead * n;
  for (size_t row = 0; row < n_answers; row++) {
    for (size_t s = 0; s < n; s++) {
      size_t cell = row * n + s;
      /* On the cells that the model scores, so that all are measured on the same. */
      out[cell] = NAN;
      if (isnan(scores[cell])) continue;
      if (kind == HY__BASELINE_ZERO) {
        out[cell] = 0;
      } else if (row + c->n_before >= 1) {
        const double *now = c->data + (row + c->n_before) * n + s;
        double before = *(now - n);
        out[cell] = before > 0 ? *now / before - 1.0 : NAN;
      }
    }
  }
}

static hy_status evaluate_all(hy_score_result *r, const closes *c, double *scratch, hy_error *err) {
  hy__decision decision = r->pipeline->decision;
  if (!decision.by_sign && decision.n_long + decision.n_short == 0) {
    /* No rule given: the extreme fifth on each side; a single series by its sign. */
    decision.by_sign = r->n_symbols < HY__NAMES_FOR_IC;
    decision.n_long = decision.n_short = HY_MAX(r->n_symbols / 5, (size_t)1);
  }
  hy__evaluate_in in = {.score = r->score + r->n_lead * r->n_symbols,
                        .close = c->data + c->n_before * r->n_symbols,
                        .n_rows = r->n_rows - r->n_lead,
                        .n_close = c->n_rows - c->n_before,
                        .n_symbols = r->n_symbols,
                        .horizon = r->pipeline->horizon,
                        .decision = &decision,
                        .periods_per_year = periods_per_year(r),
                        .allocator = r->allocator};
  HY_TRY(rows_alloc(r, &r->evaluation, err));
  HY_TRY(hy__evaluate(&in, &r->evaluation, err));
  in.score = scratch;
  for (int k = 0; k < HY__N_BASELINES; k++) {
    baseline_scores(r, c, k, scratch);
    HY_TRY(rows_alloc(r, &r->baselines[k], err));
    HY_TRY(hy__evaluate(&in, &r->baselines[k], err));
  }
  return HY_OK;
}

hy_status hy__result_evaluate(hy_score_result *r, hy_error *err) {
  closes c = {0};
  hy_status status = read_closes(r, &c, err);
  size_t cells = (r->n_rows - r->n_lead) * r->n_symbols;
  void *scratch = NULL;
  if (status == HY_OK) status = hy__alloc_array(r->allocator, cells, sizeof(double), &scratch, err);
  if (status == HY_OK) status = evaluate_all(r, &c, scratch, err);
  r->evaluated = status == HY_OK;
  hy__free(r->allocator, scratch, cells * sizeof(double));
  hy__free(r->allocator, c.data, c.bytes);
  return status;
}
