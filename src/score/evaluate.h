/* SPDX-License-Identifier: Apache-2.0
 * Evaluation of a panel of scores against what came after: pure functions of arrays, definitions in
 * docs/evaluation.md. */
#ifndef HY_SCORE_EVALUATE_H
#define HY_SCORE_EVALUATE_H

#include "base/base.h"
#include "score/pipeline.h"

enum { HY__BUCKETS_MAX = 10, HY__NAMES_FOR_DECILES = 50, HY__NAMES_FOR_IC = 3 };

/* The naive predictors that stand beside the model in every table. */
enum { HY__BASELINE_ZERO, HY__BASELINE_LAST_RETURN, HY__N_BASELINES };

typedef struct hy__evaluation {
#define HY_METRIC(field, label, format, doc) double field;
#include "score/metric.inc"
#undef HY_METRIC
  bool over_time;         /* one series: correlations over time instead of over names */
  size_t n_times;         /* rows with a correlation, or samples when over time */
  size_t n_labels;        /* cells with score and label */
  double ic_t_newey_west; /* for labels that overlap (horizon > 1): lag horizon - 1 */
  size_t n_buckets;
  double bucket_score[HY__BUCKETS_MAX], bucket_label[HY__BUCKETS_MAX];
  size_t bucket_n[HY__BUCKETS_MAX];
  double mean_return, total_return;
  /* Per row, NaN where there is none: arrays of the caller's. */
  double *row_ic, *row_rank_ic, *row_return, *row_turnover;
} hy__evaluation;

/* What is evaluated: n_rows rows of scores; close has n_close >= n_rows rows, beginning at the same
 * time, with lead rows before it in `close_before` for the last return. All [row, symbol], NaN
 * missing. */
typedef struct hy__evaluate_in {
  const double *score;
  const double *close;
  size_t n_rows, n_close, n_symbols;
  size_t horizon;
  const hy__decision *decision;
  double periods_per_year;
  const hy_allocator *allocator;
} hy__evaluate_in;

/* Fills e; its row arrays hold n_rows each. */
HY_CHECKED hy_status hy__evaluate(const hy__evaluate_in *in, hy__evaluation *e, hy_error *err);

/* The label fwd(h) of a cell: close[t+1+h] / close[t+1] - 1, NaN past the end. */
double hy__label_fwd(const hy__evaluate_in *in, size_t row, size_t symbol, size_t horizon);

/* Statistics on n pairs; NaN when undefined (fewer than 3 pairs, or no spread in either). */
double hy__pearson(const double *x, const double *y, size_t n);
/* Average ranks 1..n of x; order is scratch of n. */
void hy__average_ranks(const double *x, size_t n, uint32_t *order, double *rank);

/* The portfolio: one-bar returns of weights decided at each row (portfolio.c). Fills row_return,
 * row_turnover, mean_return, total_return, sharpe, turnover, max_drawdown. */
HY_CHECKED hy_status hy__evaluate_portfolio(const hy__evaluate_in *in, hy__evaluation *e,
                                            hy_error *err);

#endif
