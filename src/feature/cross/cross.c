/* SPDX-License-Identifier: Apache-2.0
 * Cross-sections: one universe row at a time, sequential in symbol order, so that threads change no
 * bit. */
#include "feature/cross/cross.h"

#include <math.h>

/* Rank by rank of Qlib's CSRankNorm: 1 / standard deviation of a uniform variable, as published
 * there. */
static const double rank_norm_scale = 3.46;
/* Normal consistency of the median absolute deviation. */
static const double mad_scale = 1.4826;

static void sort_values(const hy__cross_step *s, const double *values) {
  for (size_t i = 0; i < s->n; i++) s->ranked[i] = (hy__ranked){hy__cross_key(values[i]), i};
  hy__cross_sort(s->ranked, s->ranked + s->n, s->n);
}

static double mean_of(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += values[i];
  return sum / (double)n;
}

/* Linear between the two nearest order statistics, as numpy and pandas do. */
static double quantile_of(const hy__cross_step *s, const double *values, double p) {
  double at = p * (double)(s->n - 1);
  size_t low = (size_t)at, high = HY_MIN(low + 1, s->n - 1);
  double below = values[s->ranked[low].index], above = values[s->ranked[high].index];
  return below + (above - below) * (at - (double)low);
}

/* The average rank, from 1, of each value through `of`. */
static void average_ranks(const hy__cross_step *s,
                          double (*of)(double rank, const hy__cross_step *s)) {
  sort_values(s, s->values);
  for (size_t begin = 0; begin < s->n;) {
    size_t end = begin + 1;
    while (end < s->n && s->ranked[end].key == s->ranked[begin].key) end++;
    double value = of((double)(begin + 1 + end) * 0.5, s);
    for (size_t i = begin; i < end; i++) s->values[s->ranked[i].index] = value;
    begin = end;
  }
}

static double share(double rank, const hy__cross_step *s) { return rank / (double)s->n; }
static double normal(double rank, const hy__cross_step *s) {
  return (rank / (double)s->n - 0.5) * rank_norm_scale;
}
static double bucket(double rank, const hy__cross_step *s) {
  double k = s->p[0];
  double at = floor((rank - 0.5) * k / (double)s->n);
  return at < k - 1 ? at : k - 1;
}

void hy__cross_rank(const hy__cross_step *s) { average_ranks(s, share); }
void hy__cross_ranknorm(const hy__cross_step *s) { average_ranks(s, normal); }
void hy__cross_bucket(const hy__cross_step *s) { average_ranks(s, bucket); }

void hy__cross_demean(const hy__cross_step *s) {
  double mean = mean_of(s->values, s->n);
  for (size_t i = 0; i < s->n; i++) s->values[i] -= mean;
}

/* The mean of equal values may differ from them by rounding, and they by that from their mean. */
static bool all_equal(const double *values, size_t n) {
  for (size_t i = 1; i < n; i++)
    if (values[i] != values[0]) return false;
  return true;
}

void hy__cross_zscore(const hy__cross_step *s) {
  double mean = mean_of(s->values, s->n), squares = 0;
  for (size_t i = 0; i < s->n; i++) squares += (s->values[i] - mean) * (s->values[i] - mean);
  if (all_equal(s->values, s->n)) squares = 0;
  double deviation = sqrt(squares / (double)(s->n - 1));
  for (size_t i = 0; i < s->n; i++)
    s->values[i] = deviation > 0 ? (s->values[i] - mean) / deviation : 0;
}

void hy__cross_robust(const hy__cross_step *s) {
  double *away = (double *)(s->ranked + s->n); /* the sort is done with its room */
  sort_values(s, s->values);
  double median = quantile_of(s, s->values, 0.5);
  for (size_t i = 0; i < s->n; i++) s->values[i] -= median;
  for (size_t i = 0; i < s->n; i++)
    s->ranked[i] = (hy__ranked){hy__cross_key(fabs(s->values[i])), i};
  hy__cross_sort(s->ranked, s->ranked + s->n, s->n);
  for (size_t i = 0; i < s->n; i++) away[i] = fabs(s->values[i]);
  double scale = mad_scale * quantile_of(s, away, 0.5);
  for (size_t i = 0; i < s->n; i++) {
    double z = scale > 0 ? s->values[i] / scale : 0;
    s->values[i] = z > 3 ? 3 : z < -3 ? -3 : z;
  }
}

void hy__cross_scale(const hy__cross_step *s) {
  double sum = 0;
  for (size_t i = 0; i < s->n; i++) sum += fabs(s->values[i]);
  for (size_t i = 0; i < s->n; i++) s->values[i] = sum > 0 ? s->values[i] / sum : 0;
}

void hy__cross_winsor(const hy__cross_step *s) {
  double p = s->p[0] > 0.5 ? 1 - s->p[0] : s->p[0];
  p = p > 0 ? p : 0;
  sort_values(s, s->values);
  double low = quantile_of(s, s->values, p), high = quantile_of(s, s->values, 1 - p);
  for (size_t i = 0; i < s->n; i++) {
    double v = s->values[i] < low ? low : s->values[i];
    s->values[i] = v > high ? high : v;
  }
}

void hy__cross_breadth(const hy__cross_step *s) {
  size_t above = 0;
  for (size_t i = 0; i < s->n; i++) above += s->values[i] > 0;
  for (size_t i = 0; i < s->n; i++) s->values[i] = (double)above / (double)s->n;
}
