/* SPDX-License-Identifier: Apache-2.0
 * Plain and weighted moving averages over one window. */
#include "feature/window.h"

static size_t last(const double *p) { return last_of(p, 0); }

static void sum_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_sum(in[0], p_count(p, 0));
}
static void sum_step(const hy__ind_step *s) { rows_map(s, 1, 1, sum_row); }
HY_IND_CODE(sum) = {.step = sum_step, .lookback = last, .history = last};

static void sma_row(const double *const *in, const double *p, lanes *out) {
  out[0] = w_mean(in[0], p_count(p, 0));
}
static void sma_step(const hy__ind_step *s) { rows_map(s, 1, 1, sma_row); }
HY_IND_CODE(sma) = {.step = sma_step, .lookback = last, .history = last};
