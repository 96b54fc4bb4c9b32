/* SPDX-License-Identifier: Apache-2.0
 * The portfolio that the decision rule makes of the scores, with costs. Decided at row t, entered
 * at the close of t+1, held for one bar, then decided anew; weights drift with returns in between.
 * Long and short legs of the rank rule are each 1 in all; the sign rule holds +1 or -1 of each
 * series, shared equally among them. */
#include <math.h>
#include <stdlib.h>

#include "score/evaluate.h"

typedef struct portfolio {
  const hy__evaluate_in *in;
  double *weight, *before; /* decided now; held before, drifted */
  uint32_t *order;
  double equity, peak, turnover_sum;
  size_t n_turnover;
} portfolio;

typedef struct order_context {
  const double *score;
} order_context;

static int highest_first(const void *a, const void *b, void *ctx) {
  const double *score = ((const order_context *)ctx)->score;
  uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
  if (score[i] != score[j]) return score[i] > score[j] ? -1 : 1;
  return i < j ? -1 : i > j;
}

/* A name can be held when it has a score and a return to come. */
static size_t candidates(const portfolio *p, size_t row) {
  const hy__evaluate_in *in = p->in;
  size_t n = 0;
  for (size_t s = 0; s < in->n_symbols; s++) {
    bool scored = !isnan(in->score[row * in->n_symbols + s]);
    if (scored && !isnan(hy__label_fwd(in, row, s, 1))) p->order[n++] = (uint32_t)s;
  }
  return n;
}

static void decide_by_rank(portfolio *p, const double *score, size_t n) {
  const hy__decision *d = p->in->decision;
  size_t n_long = HY_MIN(d->n_long, n / 2), n_short = HY_MIN(d->n_short, n / 2);
  order_context ctx = {score};
  qsort_r(p->order, n, sizeof *p->order, highest_first, &ctx);
  /* A score that is the same everywhere prefers nobody. */
  if (n < 2 || score[p->order[0]] == score[p->order[n - 1]]) return;
  for (size_t k = 0; k < n_long; k++) p->weight[p->order[k]] = 1.0 / (double)n_long;
  for (size_t k = 0; k < n_short; k++) p->weight[p->order[n - 1 - k]] = -1.0 / (double)n_short;
}

static void decide_by_sign(portfolio *p, const double *score, size_t n) {
  double threshold = p->in->decision->threshold;
  for (size_t k = 0; k < n; k++) {
    double v = score[p->order[k]];
    double side = v > threshold ? 1.0 : v < -threshold ? -1.0 : 0.0;
    p->weight[p->order[k]] = side / (double)p->in->n_symbols;
  }
}

/* One row: decide, pay for the change, earn the bar, drift. */
static void step(portfolio *p, size_t row, hy__evaluation *e) {
  const hy__evaluate_in *in = p->in;
  const double *score = in->score + row * in->n_symbols;
  memset(p->weight, 0, in->n_symbols * sizeof *p->weight);
  size_t n = candidates(p, row);
  if (in->decision->by_sign) {
    decide_by_sign(p, score, n);
  } else {
    decide_by_rank(p, score, n);
  }
  double change = 0, gross = 0;
  for (size_t s = 0; s < in->n_symbols; s++) {
    change += fabs(p->weight[s] - p->before[s]);
    double r = p->weight[s] != 0 ? hy__label_fwd(in, row, s, 1) : 0;
    gross += p->weight[s] * r;
  }
  double turnover = 0.5 * change;
  e->row_turnover[row] = turnover;
  e->row_return[row] = gross - in->decision->cost_bps * 1e-4 * 2.0 * turnover;
  p->turnover_sum += turnover;
  p->n_turnover++;
  double growth = 1.0 + gross;
  for (size_t s = 0; s < in->n_symbols; s++) {
    double r = p->weight[s] != 0 ? hy__label_fwd(in, row, s, 1) : 0;
    p->before[s] = growth > 0 ? p->weight[s] * (1.0 + r) / growth : 0;
  }
}

static void summarise(const hy__evaluate_in *in, size_t n_rows, hy__evaluation *e) {
  double sum = 0, equity = 1, peak = 1, drawdown = 0;
  for (size_t row = 0; row < n_rows; row++) {
    sum += e->row_return[row];
    equity *= 1.0 + e->row_return[row];
    peak = HY_MAX(peak, equity);
    drawdown = HY_MIN(drawdown, equity / peak - 1.0);
  }
  double mean = n_rows ? sum / (double)n_rows : NAN, squares = 0;
  for (size_t row = 0; row < n_rows; row++) {
    squares += (e->row_return[row] - mean) * (e->row_return[row] - mean);
  }
  double sd = n_rows > 1 ? sqrt(squares / (double)(n_rows - 1)) : 0;
  e->mean_return = mean;
  e->total_return = equity - 1.0;
  e->sharpe = sd > 0 ? mean / sd * sqrt(in->periods_per_year) : NAN;
  e->max_drawdown = n_rows ? drawdown : NAN;
}

hy_status hy__evaluate_portfolio(const hy__evaluate_in *in, hy__evaluation *e, hy_error *err) {
  void *memory = NULL;
  size_t each = 2 * sizeof(double) + sizeof(uint32_t);
  HY_TRY(hy__alloc_array(in->allocator, in->n_symbols, each, &memory, err));
  portfolio p = {.in = in, .weight = memory};
  p.before = p.weight + in->n_symbols;
  p.order = (uint32_t *)(p.before + in->n_symbols);
  memset(p.before, 0, in->n_symbols * sizeof *p.before);
  /* The last two rows have no bar to earn any more. */
  size_t n_rows = in->n_close > 2 ? HY_MIN(in->n_rows, in->n_close - 2) : 0;
  for (size_t row = 0; row < n_rows; row++) step(&p, row, e);
  for (size_t row = n_rows; row < in->n_rows; row++)
    e->row_return[row] = e->row_turnover[row] = NAN;
  e->turnover = p.n_turnover ? p.turnover_sum / (double)p.n_turnover : NAN;
  summarise(in, n_rows, e);
  hy__free(in->allocator, memory, in->n_symbols * each);
  return HY_OK;
}
