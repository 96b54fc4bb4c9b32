/* SPDX-License-Identifier: Apache-2.0
 * Information coefficients, hit rate, buckets and calibration. Sums run in symbol and time order.
 */
#include "score/evaluate.h"

#include <math.h>
#include <stdlib.h>

double hy__label_fwd(const hy__evaluate_in *in, size_t row, size_t symbol, size_t horizon) {
  size_t enter = row + 1, leave = 0;
  if (!hy__add(enter, horizon, &leave) || leave >= in->n_close) return NAN;
  double from = in->close[enter * in->n_symbols + symbol];
  double to = in->close[leave * in->n_symbols + symbol];
  return from > 0 ? to / from - 1.0 : NAN;
}

double hy__pearson(const double *x, const double *y, size_t n) {
  if (n < 3) return NAN;
  double mean_x = 0, mean_y = 0;
  for (size_t k = 0; k < n; k++) mean_x += x[k], mean_y += y[k];
  mean_x /= (double)n;
  mean_y /= (double)n;
  double xx = 0, yy = 0, xy = 0;
  for (size_t k = 0; k < n; k++) {
    double dx = x[k] - mean_x, dy = y[k] - mean_y;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static int by_value(const void *a, const void *b, void *ctx) {
  const double *x = ctx;
  double va = x[*(const uint32_t *)a], vb = x[*(const uint32_t *)b];
  return va < vb ? -1 : va > vb;
}

void hy__average_ranks(const double *x, size_t n, uint32_t *order, double *rank) {
  for (size_t k = 0; k < n; k++) order[k] = (uint32_t)k;
  qsort_r(order, n, sizeof *order, by_value, (void *)(uintptr_t)x);
  for (size_t begin = 0; begin < n;) {
    size_t end = begin + 1;
    while (end < n && x[order[end]] == x[order[begin]]) end++;
    double mean = ((double)begin + (double)end + 1.0) * 0.5;
    for (size_t k = begin; k < end; k++) rank[order[k]] = mean;
    begin = end;
  }
}

/* Mean of the finite values and its t-statistic. */
static void mean_and_t(const double *x, size_t n, double *mean, double *t, size_t *n_used) {
  double sum = 0;
  size_t used = 0;
  for (size_t k = 0; k < n; k++) {
    if (isnan(x[k])) continue;
    sum += x[k];
    used++;
  }
  *n_used = used;
  *mean = used ? sum / (double)used : NAN;
  double squares = 0;
  for (size_t k = 0; k < n; k++) {
    if (!isnan(x[k])) squares += (x[k] - *mean) * (x[k] - *mean);
  }
  double sd = used > 1 ? sqrt(squares / (double)(used - 1)) : 0;
  *t = sd > 0 ? *mean / (sd / sqrt((double)used)) : NAN;
}

/* The t-statistic of a mean with Newey and West's (1987) variance, Bartlett weights, gaps skipped.
 */
static double newey_west_t(double *x, size_t n, double mean, size_t lag) {
  size_t used = 0;
  for (size_t k = 0; k < n; k++) {
    if (!isnan(x[k])) x[used++] = x[k] - mean;
  }
  if (used < 2) return NAN;
  double variance = 0;
  for (size_t j = 0; j <= lag && j < used; j++) {
    double sum = 0;
    for (size_t k = j; k < used; k++) sum += x[k] * x[k - j];
    variance += (j ? 2.0 * (1.0 - (double)j / ((double)lag + 1.0)) : 1.0) * sum / (double)used;
  }
  return variance > 0 ? mean / sqrt(variance / (double)used) : NAN;
}

/* Pairs of score and label that both exist, gathered row by row or all at once. */
typedef struct pairs {
  double *score, *label, *rank_score, *rank_label;
  uint32_t *order;
  size_t n, capacity;
} pairs;

static void gather_row(const hy__evaluate_in *in, size_t row, pairs *p) {
  for (size_t s = 0; s < in->n_symbols; s++) {
    double score = in->score[row * in->n_symbols + s];
    if (isnan(score)) continue;
    double label = hy__label_fwd(in, row, s, in->horizon);
    if (isnan(label)) continue;
    p->score[p->n] = score;
    p->label[p->n++] = label;
  }
}

static double rank_correlation(pairs *p) {
  hy__average_ranks(p->score, p->n, p->order, p->rank_score);
  hy__average_ranks(p->label, p->n, p->order, p->rank_label);
  return hy__pearson(p->rank_score, p->rank_label, p->n);
}

/* Buckets of the pairs by score: sums of label and score per bucket, means of a row added to the
 * totals. */
static void add_buckets(pairs *p, hy__evaluation *e, size_t *n_spread, double *spread) {
  size_t n_buckets = e->n_buckets;
  if (p->n < n_buckets) return;
  for (size_t k = 0; k < p->n; k++) p->rank_score[k] = 0;
  hy__average_ranks(p->score, p->n, p->order, p->rank_score);
  double sum[HY__BUCKETS_MAX] = {0};
  size_t n[HY__BUCKETS_MAX] = {0};
  for (size_t k = 0; k < p->n; k++) {
    size_t at = p->order[k], b = k * n_buckets / p->n;
    sum[b] += p->label[at];
    n[b]++;
    e->bucket_label[b] += p->label[at];
    e->bucket_score[b] += p->score[at];
    e->bucket_n[b]++;
  }
  /* A constant score orders nothing: its buckets would tell of the symbols' order alone. */
  if (p->score[p->order[0]] == p->score[p->order[p->n - 1]]) return;
  *spread += sum[n_buckets - 1] / (double)n[n_buckets - 1] - sum[0] / (double)n[0];
  ++*n_spread;
}

typedef struct moments {
  double n, x, y, xx, xy;
} moments;

static void add_moments(moments *m, const pairs *p) {
  for (size_t k = 0; k < p->n; k++) {
    m->n += 1;
    m->x += p->score[k];
    m->y += p->label[k];
    m->xx += p->score[k] * p->score[k];
    m->xy += p->score[k] * p->label[k];
  }
}

static void add_hits(const pairs *p, size_t *hits, size_t *n) {
  for (size_t k = 0; k < p->n; k++) {
    if (p->score[k] == 0 || p->label[k] == 0) continue;
    *hits += (p->score[k] > 0) == (p->label[k] > 0);
    ++*n;
  }
}

static double calibration_slope(const moments *m) {
  if (m->n < 3) return NAN;
  double sxx = m->xx - m->x * m->x / m->n, sxy = m->xy - m->x * m->y / m->n;
  return sxx > 1e-14 * m->xx ? sxy / sxx : NAN;
}

static void finish_buckets(hy__evaluation *e) {
  for (size_t b = 0; b < e->n_buckets; b++) {
    double n = (double)e->bucket_n[b];
    e->bucket_label[b] = n > 0 ? e->bucket_label[b] / n : NAN;
    e->bucket_score[b] = n > 0 ? e->bucket_score[b] / n : NAN;
  }
}

static hy_status over_names(const hy__evaluate_in *in, hy__evaluation *e, pairs *p, hy_error *err) {
  moments m = {0};
  size_t hits = 0, n_hits = 0, n_spread = 0, n_rank = 0;
  double spread = 0;
  for (size_t row = 0; row < in->n_rows; row++) {
    p->n = 0;
    gather_row(in, row, p);
    e->n_labels += p->n;
    e->row_ic[row] = hy__pearson(p->score, p->label, p->n);
    e->row_rank_ic[row] = p->n >= HY__NAMES_FOR_IC ? rank_correlation(p) : NAN;
    add_moments(&m, p);
    add_hits(p, &hits, &n_hits);
    add_buckets(p, e, &n_spread, &spread);
  }
  mean_and_t(e->row_ic, in->n_rows, &e->ic, &e->ic_t, &e->n_times);
  mean_and_t(e->row_rank_ic, in->n_rows, &e->rank_ic, &e->rank_ic_t, &n_rank);
  void *copy = NULL;
  HY_TRY(hy__alloc_array(in->allocator, in->n_rows, sizeof(double), &copy, err));
  memcpy(copy, e->row_ic, in->n_rows * sizeof(double));
  e->ic_t_newey_west = newey_west_t(copy, in->n_rows, e->ic, in->horizon - 1);
  hy__free(in->allocator, copy, in->n_rows * sizeof(double));
  e->hit_rate = n_hits ? (double)hits / (double)n_hits : NAN;
  e->spread = n_spread ? spread / (double)n_spread : NAN;
  e->calibration = calibration_slope(&m);
  finish_buckets(e);
  return HY_OK;
}

static double correlation_t(double r, size_t n) {
  return n > 2 && r * r < 1 ? r * sqrt(((double)n - 2.0) / (1.0 - r * r)) : NAN;
}

static void over_time(const hy__evaluate_in *in, hy__evaluation *e, pairs *p) {
  moments m = {0};
  size_t hits = 0, n_hits = 0, n_spread = 0;
  double spread = 0;
  for (size_t row = 0; row < in->n_rows; row++) {
    gather_row(in, row, p);
    e->row_ic[row] = NAN;
    e->row_rank_ic[row] = NAN;
  }
  e->n_times = e->n_labels = p->n;
  e->ic = hy__pearson(p->score, p->label, p->n);
  e->ic_t = correlation_t(e->ic, p->n);
  e->ic_t_newey_west = NAN;
  e->rank_ic = rank_correlation(p);
  e->rank_ic_t = correlation_t(e->rank_ic, p->n);
  add_moments(&m, p);
  add_hits(p, &hits, &n_hits);
  add_buckets(p, e, &n_spread, &spread);
  e->hit_rate = n_hits ? (double)hits / (double)n_hits : NAN;
  e->spread = n_spread ? spread : NAN;
  e->calibration = calibration_slope(&m);
  finish_buckets(e);
}

static hy_status pairs_alloc(const hy_allocator *a, size_t capacity, pairs *p, hy_error *err) {
  void *memory = NULL;
  p->capacity = capacity;
  HY_TRY(hy__alloc_array(a, capacity, 4 * sizeof(double) + sizeof(uint32_t), &memory, err));
  p->score = memory;
  p->label = p->score + capacity;
  p->rank_score = p->label + capacity;
  p->rank_label = p->rank_score + capacity;
  p->order = (uint32_t *)(p->rank_label + capacity);
  return HY_OK;
}

hy_status hy__evaluate(const hy__evaluate_in *in, hy__evaluation *e, hy_error *err) {
  e->over_time = in->n_symbols < HY__NAMES_FOR_IC;
  e->n_buckets = in->n_symbols >= HY__NAMES_FOR_DECILES || e->over_time ? 10 : 5;
  size_t capacity = in->n_symbols;
  HY_FAIL_IF(e->over_time && !hy__mul(capacity, in->n_rows, &capacity), HY_LIMIT, err,
             "too many rows");
  pairs p = {0};
  HY_TRY(pairs_alloc(in->allocator, capacity, &p, err));
  hy_status status = HY_OK;
  if (e->over_time) {
    over_time(in, e, &p);
  } else {
    status = over_names(in, e, &p, err);
  }
  hy__free(in->allocator, p.score, capacity * (4 * sizeof(double) + sizeof(uint32_t)));
  return status == HY_OK ? hy__evaluate_portfolio(in, e, err) : status;
}
