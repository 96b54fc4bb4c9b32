/* SPDX-License-Identifier: Apache-2.0
 * Cross-sections within groups: the second input is a number for each symbol, and equal numbers are
 * one group. Groups are independent of each other, their sums sequential in symbol order. */
#include "feature/cross/cross.h"

#include <math.h>

/* One group: the values of all symbols, and which of them are its own, in symbol order. */
typedef struct group {
  double *values;
  hy__ranked *names, *room; /* n of each */
  size_t n;
} group;

static void each_group(const hy__cross_step *s, void (*work)(const group *g)) {
  hy__ranked *room = s->ranked + s->n;
  for (size_t i = 0; i < s->n; i++) s->ranked[i] = (hy__ranked){hy__cross_key(s->in[1][i]), i};
  hy__cross_sort(s->ranked, room, s->n);
  for (size_t begin = 0, end; begin < s->n; begin = end) {
    end = begin + 1;
    while (end < s->n && s->ranked[end].key == s->ranked[begin].key) end++;
    work(&(group){s->values, s->ranked + begin, room, end - begin});
  }
}

static double mean_of(const group *g) {
  double sum = 0;
  for (size_t i = 0; i < g->n; i++) sum += g->values[g->names[i].index];
  return sum / (double)g->n;
}

static void neutral(const group *g) {
  const double mean = mean_of(g);
  for (size_t i = 0; i < g->n; i++) g->values[g->names[i].index] -= mean;
}

static void zscore(const group *g) {
  const double mean = mean_of(g), first = g->values[g->names[0].index];
  double squares = 0;
  bool differ = false; /* equal values differ by rounding from their mean */
  for (size_t i = 0; i < g->n; i++) {
    double *value = &g->values[g->names[i].index];
    differ |= *value != first;
    *value -= mean;
    squares += *value * *value;
  }
  const double deviation = differ ? sqrt(squares / (double)(g->n - 1)) : 0;
  for (size_t i = 0; i < g->n; i++) {
    double *value = &g->values[g->names[i].index];
    *value = deviation > 0 ? *value / deviation : 0;
  }
}

static void rank(const group *g) {
  for (size_t i = 0; i < g->n; i++) g->names[i].key = hy__cross_key(g->values[g->names[i].index]);
  hy__cross_sort(g->names, g->room, g->n);
  for (size_t begin = 0, end; begin < g->n; begin = end) {
    end = begin + 1;
    while (end < g->n && g->names[end].key == g->names[begin].key) end++;
    const double share = (double)(begin + 1 + end) * 0.5 / (double)g->n;
    for (size_t i = begin; i < end; i++) g->values[g->names[i].index] = share;
  }
}

void hy__cross_neutral(const hy__cross_step *s) { each_group(s, neutral); }
void hy__cross_group_zscore(const hy__cross_step *s) { each_group(s, zscore); }
void hy__cross_group_rank(const hy__cross_step *s) { each_group(s, rank); }
