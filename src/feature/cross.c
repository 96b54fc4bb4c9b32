/* SPDX-License-Identifier: Apache-2.0
 * Cross-sections: one universe row at a time, sequential in symbol order, so that threads change no
 * bit. */
#include "feature/table.h"

#include <math.h>

/* clang-format off */
#define HY_CROSS(id, version, symbol, is_default, params, doc) \
  void hy__cross_##symbol(const hy__cross_step *s);
#include "feature/cross.inc"
#undef HY_CROSS
/* clang-format on */

/* Rank by rank of Qlib's CSRankNorm: 1 / standard deviation of a uniform variable, as published
 * there. */
static const double rank_norm_scale = 3.46;
/* Normal consistency of the median absolute deviation. */
static const double mad_scale = 1.4826;

/* order: indices by ascending value, equal values by index (a merge sort: n is a universe, not a
 * constant). */
static void sort_order(const double *values, uint32_t *order, size_t n) {
  uint32_t *from = order, *to = order + n;
  for (size_t i = 0; i < n; i++) from[i] = (uint32_t)i;
  for (size_t width = 1; width < n; width *= 2) {
    for (size_t begin = 0; begin < n; begin += 2 * width) {
      size_t middle = HY_MIN(begin + width, n), end = HY_MIN(begin + 2 * width, n);
      size_t left = begin, right = middle;
      for (size_t i = begin; i < end; i++) {
        bool take_left =
            left < middle && (right >= end || values[from[left]] <= values[from[right]]);
        to[i] = take_left ? from[left++] : from[right++];
      }
    }
    uint32_t *swap = from;
    from = to;
    to = swap;
  }
  if (from != order) memcpy(order, from, n * sizeof *order);
}

static double mean_of(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += values[i];
  return sum / (double)n;
}

/* Linear between the two nearest order statistics, as numpy and pandas do. */
static double quantile_of(const double *sorted, size_t n, double p) {
  double at = p * (double)(n - 1);
  size_t low = (size_t)at, high = HY_MIN(low + 1, n - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - (double)low);
}

/* The average rank, from 1, of each value through `of`. */
static void average_ranks(const hy__cross_step *s,
                          double (*of)(double rank, const hy__cross_step *s)) {
  sort_order(s->values, s->order, s->n);
  for (size_t i = 0; i < s->n; i++) s->sorted[i] = s->values[s->order[i]];
  for (size_t begin = 0; begin < s->n;) {
    size_t end = begin + 1;
    while (end < s->n && s->sorted[end] == s->sorted[begin]) end++;
    double rank = (double)(begin + 1 + end) * 0.5;
    for (size_t i = begin; i < end; i++) s->values[s->order[i]] = of(rank, s);
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

void hy__cross_zscore(const hy__cross_step *s) {
  double mean = mean_of(s->values, s->n), squares = 0;
  for (size_t i = 0; i < s->n; i++) squares += (s->values[i] - mean) * (s->values[i] - mean);
  double deviation = sqrt(squares / (double)(s->n - 1));
  for (size_t i = 0; i < s->n; i++)
    s->values[i] = deviation > 0 ? (s->values[i] - mean) / deviation : 0;
}

void hy__cross_robust(const hy__cross_step *s) {
  double *away = s->values; /* becomes x - median */
  sort_order(s->values, s->order, s->n);
  for (size_t i = 0; i < s->n; i++) s->sorted[i] = s->values[s->order[i]];
  double median = quantile_of(s->sorted, s->n, 0.5);
  for (size_t i = 0; i < s->n; i++) away[i] -= median, s->sorted[i] = fabs(away[i]);
  sort_order(s->sorted, s->order, s->n);
  double low = s->sorted[s->order[(s->n - 1) / 2]], high = s->sorted[s->order[s->n / 2]];
  double scale = mad_scale * (low + (high - low) * 0.5);
  for (size_t i = 0; i < s->n; i++) {
    double z = scale > 0 ? away[i] / scale : 0;
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
  sort_order(s->values, s->order, s->n);
  for (size_t i = 0; i < s->n; i++) s->sorted[i] = s->values[s->order[i]];
  double low = quantile_of(s->sorted, s->n, p), high = quantile_of(s->sorted, s->n, 1 - p);
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
