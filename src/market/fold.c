/* SPDX-License-Identifier: Apache-2.0
 * Faster bars folded into a slower one, eight lanes at a time: the one definition for the slower
 * universes of batch and the open bars of streams. A lane without a value yet is NaN. */
#include <math.h>

#include "market/market.h"

hy__fold hy__fold_of(const char *field) {
  static const struct {
    const char *field;
    hy__fold how;
  } rows[] = {{"open", HY__FOLD_FIRST},
              {"high", HY__FOLD_HIGHEST},
              {"low", HY__FOLD_LOWEST},
              {"volume", HY__FOLD_SUM},
              {"vwap", HY__FOLD_VWAP}};
  for (size_t i = 0; i < HY_COUNT(rows); i++)
    if (!strcmp(rows[i].field, field)) return rows[i].how;
  return HY__FOLD_LAST;
}

void hy__fold_begin(hy__fold_state *s) {
  for (size_t k = 0; k < HY_LANES; k++) s->value[k] = s->weight[k] = (double)NAN;
}

static inline bool is_number(double v) { return v == v; }

/* Conditions without branches, so that the lanes are taken together. */
static void first_row(const double *cells, double value[HY_LANES]) {
  for (size_t k = 0; k < HY_LANES; k++) value[k] = is_number(value[k]) ? value[k] : cells[k];
}
static void last_row(const double *cells, double value[HY_LANES]) {
  for (size_t k = 0; k < HY_LANES; k++) value[k] = is_number(cells[k]) ? cells[k] : value[k];
}
static void highest_row(const double *cells, double value[HY_LANES]) {
  for (size_t k = 0; k < HY_LANES; k++) {
    const double old = value[k], v = cells[k], most = old >= v ? old : v;
    value[k] = is_number(v) ? most : old;
  }
}
static void lowest_row(const double *cells, double value[HY_LANES]) {
  for (size_t k = 0; k < HY_LANES; k++) {
    const double old = value[k], v = cells[k], least = old <= v ? old : v;
    value[k] = is_number(v) ? least : old;
  }
}
static void sum_row(const double *cells, double value[HY_LANES]) {
  for (size_t k = 0; k < HY_LANES; k++) {
    const double sum = is_number(value[k]) ? value[k] + cells[k] : cells[k];
    value[k] = is_number(cells[k]) ? sum : value[k];
  }
}

static void weigh_row(const double *price, const double *volume, hy__fold_state *s) {
  double product[HY_LANES], weight[HY_LANES];
  for (size_t k = 0; k < HY_LANES; k++) {
    product[k] = price[k] * volume[k];
    weight[k] = is_number(product[k]) ? volume[k] : (double)NAN;
  }
  sum_row(product, s->value);
  sum_row(weight, s->weight);
}

void hy__fold_rows(hy__fold how, const double *cells, const double *volume, size_t n,
                   hy__fold_state *s) {
  for (size_t t = 0; t < n; t++, cells += HY_LANES) {
    switch (how) {
    case HY__FOLD_FIRST: first_row(cells, s->value); break;
    case HY__FOLD_HIGHEST: highest_row(cells, s->value); break;
    case HY__FOLD_LOWEST: lowest_row(cells, s->value); break;
    case HY__FOLD_SUM: sum_row(cells, s->value); break;
    case HY__FOLD_VWAP: weigh_row(cells, volume + t * HY_LANES, s); break;
    default: last_row(cells, s->value); break;
    }
  }
}

void hy__fold_end(hy__fold how, const hy__fold_state *s, double out[HY_LANES]) {
  for (size_t k = 0; k < HY_LANES; k++) {
    const double v = how == HY__FOLD_VWAP ? s->value[k] / s->weight[k] : s->value[k];
    out[k] = v - v == 0 ? v : (double)NAN;
  }
}
