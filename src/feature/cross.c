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

/* Runs of this many are sorted by insertion. */
enum { RUN = 8 };

static void sort_run(hy__ranked *a, size_t n) {
  for (size_t i = 1; i < n; i++) {
    hy__ranked item = a[i];
    size_t at = i;
    for (; at > 0 && item.value < a[at - 1].value; at--) a[at] = a[at - 1];
    a[at] = item;
  }
}

/* The step has no branch to be guessed wrong: which side is taken is as good as random. */
static void merge(const hy__ranked *left, size_t n_left, const hy__ranked *right, size_t n_right,
                  hy__ranked *to) {
  const hy__ranked *left_end = left + n_left, *right_end = right + n_right;
  while (left < left_end && right < right_end) {
    bool take_right = right->value < left->value;
    *to++ = *(take_right ? right : left);
    right += take_right;
    left += !take_right;
  }
  memcpy(to, left, (size_t)(left_end - left) * sizeof *to);
  to += left_end - left;
  memcpy(to, right, (size_t)(right_end - right) * sizeof *to);
}

/* s->ranked: ascending, equal values by index (a merge sort: n is a universe, not a constant). */
static void sort_ranked(const hy__cross_step *s) {
  size_t n = s->n;
  hy__ranked *from = s->ranked, *to = s->ranked + n;
  for (size_t i = 0; i < n; i += RUN) sort_run(from + i, HY_MIN((size_t)RUN, n - i));
  for (size_t width = RUN; width < n; width *= 2) {
    for (size_t begin = 0; begin < n; begin += 2 * width) {
      size_t middle = HY_MIN(begin + width, n), end = HY_MIN(begin + 2 * width, n);
      merge(from + begin, middle - begin, from + middle, end - middle, to + begin);
    }
    hy__ranked *swap = from;
    from = to;
    to = swap;
  }
  if (from != s->ranked) memcpy(s->ranked, from, n * sizeof *from);
}

static void sort_values(const hy__cross_step *s) {
  for (size_t i = 0; i < s->n; i++) s->ranked[i] = (hy__ranked){.value = s->values[i], .index = i};
  sort_ranked(s);
}

static double mean_of(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += values[i];
  return sum / (double)n;
}

/* Linear between the two nearest order statistics, as numpy and pandas do. */
static double quantile_of(const hy__cross_step *s, double p) {
  double at = p * (double)(s->n - 1);
  size_t low = (size_t)at, high = HY_MIN(low + 1, s->n - 1);
  double below = s->ranked[low].value, above = s->ranked[high].value;
  return below + (above - below) * (at - (double)low);
}

/* The average rank, from 1, of each value through `of`. */
static void average_ranks(const hy__cross_step *s,
                          double (*of)(double rank, const hy__cross_step *s)) {
  sort_values(s);
  for (size_t begin = 0; begin < s->n;) {
    size_t end = begin + 1;
    while (end < s->n && s->ranked[end].value == s->ranked[begin].value) end++;
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

void hy__cross_zscore(const hy__cross_step *s) {
  double mean = mean_of(s->values, s->n), squares = 0;
  for (size_t i = 0; i < s->n; i++) squares += (s->values[i] - mean) * (s->values[i] - mean);
  double deviation = sqrt(squares / (double)(s->n - 1));
  for (size_t i = 0; i < s->n; i++)
    s->values[i] = deviation > 0 ? (s->values[i] - mean) / deviation : 0;
}

void hy__cross_robust(const hy__cross_step *s) {
  sort_values(s);
  double median = quantile_of(s, 0.5);
  for (size_t i = 0; i < s->n; i++) s->values[i] -= median;
  for (size_t i = 0; i < s->n; i++) s->ranked[i] = (hy__ranked){.value = fabs(s->values[i])};
  sort_ranked(s);
  double scale = mad_scale * quantile_of(s, 0.5);
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
  sort_values(s);
  double low = quantile_of(s, p), high = quantile_of(s, 1 - p);
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
