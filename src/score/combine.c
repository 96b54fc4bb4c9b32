/* SPDX-License-Identifier: Apache-2.0
 * From the models' scores to one score per cell, and its rank: row by row, in symbol order, so that
 * the bits do not depend on how the work was spread. */
#include <math.h>

#include "score/result.h"

typedef struct combine_row {
  const hy_pipeline *p;
  const double *score[HY__PIPELINE_MODELS_MAX]; /* of the row */
  const uint8_t *flag[HY__PIPELINE_MODELS_MAX];
  double mean[HY__PIPELINE_MODELS_MAX], sd[HY__PIPELINE_MODELS_MAX]; /* zscore_mean */
  size_t n_valid[HY__PIPELINE_MODELS_MAX];
} combine_row;

static void row_moments(combine_row *c, size_t n_symbols) {
  for (size_t m = 0; m < c->p->n_models; m++) {
    double sum = 0;
    size_t n = 0;
    for (size_t s = 0; s < n_symbols; s++) {
      if (isnan(c->score[m][s])) continue;
      sum += c->score[m][s];
      n++;
    }
    double mean = n ? sum / (double)n : 0, squares = 0;
    for (size_t s = 0; s < n_symbols; s++) {
      double d = c->score[m][s] - mean;
      if (!isnan(d)) squares += d * d;
    }
    c->n_valid[m] = n;
    c->mean[m] = mean;
    c->sd[m] = n > 1 ? sqrt(squares / (double)(n - 1)) : 0;
  }
}

static void insertion_sort(double *x, size_t n) {
  for (size_t i = 1; i < n; i++) {
    double v = x[i];
    size_t j = i;
    for (; j > 0 && x[j - 1] > v; j--) x[j] = x[j - 1];
    x[j] = v;
  }
}

static double median_of(double *x, size_t n) {
  insertion_sort(x, n);
  return n % 2 ? x[n / 2] : x[n / 2 - 1] + (x[n / 2] - x[n / 2 - 1]) * 0.5;
}

/* One cell's score out of the values that exist. */
static double combine_values(const combine_row *c, double *value, const size_t *model, size_t n) {
  double sum = 0, weights = 0;
  switch (c->p->combine) {
  case HY__COMBINE_MEDIAN: return median_of(value, n);
  case HY__COMBINE_MEAN:
  case HY__COMBINE_ONE:
    for (size_t k = 0; k < n; k++) sum += value[k];
    return n == 1 ? sum : sum / (double)n;
  default: break;
  }
  for (size_t k = 0; k < n; k++) {
    size_t m = model[k];
    double v = value[k];
    if (c->p->combine == HY__COMBINE_ZSCORE_MEAN) {
      v = c->sd[m] > 0 ? (v - c->mean[m]) / c->sd[m] : 0;
    }
    sum += c->p->models[m].weight * v;
    weights += c->p->models[m].weight;
  }
  return weights > 0 ? sum / weights : NAN;
}

static double combine_cell(const combine_row *c, size_t symbol, uint8_t *flag) {
  double value[HY__PIPELINE_MODELS_MAX];
  size_t model[HY__PIPELINE_MODELS_MAX], n = 0;
  uint8_t trouble = HY__FLAG_OK;
  for (size_t m = 0; m < c->p->n_models; m++) {
    double v = c->score[m][symbol];
    if (isnan(v)) {
      if (trouble == HY__FLAG_OK) trouble = c->flag[m][symbol];
    } else if (c->p->combine == HY__COMBINE_ZSCORE_MEAN && c->n_valid[m] < 2) {
      trouble = HY__FLAG_CROSS_SECTION;
    } else {
      value[n] = v;
      model[n++] = m;
    }
  }
  *flag = trouble;
  if (n == 0 || (trouble != HY__FLAG_OK && !c->p->renormalise)) return NAN;
  double score = combine_values(c, value, model, n);
  *flag = isfinite(score) ? HY__FLAG_OK : HY__FLAG_NOT_FINITE;
  return isfinite(score) ? score : NAN;
}

static void rank_row(hy_score_result *r, size_t row, uint32_t *order) {
  hy__result_order(r, row, order);
  for (size_t k = 0; k < r->n_symbols; k++) {
    size_t cell = hy__result_cell(r, row, order[k]);
    r->rank[cell] = isnan(r->score[cell]) ? 0 : (uint32_t)k + 1;
  }
}

hy_status hy__result_combine(hy_score_result *r, hy_error *err) {
  void *memory = NULL;
  HY_TRY(hy__alloc_array(r->allocator, r->n_symbols, sizeof(uint32_t), &memory, err));
  size_t plane = r->n_rows * r->n_symbols;
  for (size_t row = 0; row < r->n_rows; row++) {
    combine_row c = {.p = r->pipeline};
    for (size_t m = 0; m < r->n_models; m++) {
      c.score[m] = r->model_score + m * plane + row * r->n_symbols;
      c.flag[m] = r->model_flag + m * plane + row * r->n_symbols;
    }
    if (r->pipeline->combine == HY__COMBINE_ZSCORE_MEAN) row_moments(&c, r->n_symbols);
    for (size_t s = 0; s < r->n_symbols; s++) {
      size_t cell = hy__result_cell(r, row, s);
      r->score[cell] = combine_cell(&c, s, &r->flag[cell]);
    }
    rank_row(r, row, memory);
  }
  hy__free(r->allocator, memory, r->n_symbols * sizeof(uint32_t));
  return HY_OK;
}
