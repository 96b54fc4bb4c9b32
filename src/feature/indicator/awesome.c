/* SPDX-License-Identifier: Apache-2.0
 * Differences of two plain means, and what stands between the difference and its own mean: the
 * awesome and the accelerator oscillator of the bars' middles, and macd with plain means. */
#include "feature/lane/nest.h"
#include "feature/lane/window.h"

static size_t longest(const double *p) { return (size_t)HY_MAX(p[0], p[1]); }
static size_t last(const double *p) { return longest(p) - 1; }
static size_t signal_last(const double *p) { return longest(p) + p_count(p, 2) - 2; }
static size_t signal_rows(const double *p) { return signal_last(p) + 1; }

HY_INLINE void apart_leaf(view v, const double *p, lanes *out) {
  const lanes fast = v_sum(v, p_count(p, 0)) / v_set(p[0]);
  out[0] = fast - v_sum(v, p_count(p, 1)) / v_set(p[1]);
}
HY_INLINE void apart(const hy__ind_step *s) {
  tiles_map(s, (tiling){1, 1, 1, longest(s->p), BLOCK, sum_block, apart_leaf});
}

/* The differences of this step and of the rows before it that a mean of them needs, from a series
 * with enough of its past: into the hidden column `column`, which becomes the input of the step
 * that is returned. */
HY_INLINE hy__ind_step apart_rows(const hy__ind_step *s, const double *x, int column) {
  const size_t before = p_count(s->p, 2) - 1;
  hy__ind_step rows = *s, over = *s;
  rows.n = s->n + before;
  rows.in[0] = x - before * HY_LANES;
  rows.out[0] = s->mid[column] - before * HY_LANES;
  apart(&rows);
  over.in[0] = s->mid[column];
  return over;
}

/* Inputs: high, low. */
HY_INLINE void middle(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = (v_load(in[0]) + v_load(in[1])) * v_set(0.5);
}
static void ao_step(const hy__ind_step *s) {
  const hy__ind_step over = nest_fill(s, (nest){2, 1, 1, longest(s->p), middle, NULL});
  apart(&over);
}
HY_IND_CODE(ao) = {.step = ao_step,
                   .lookback = last,
                   .history = last,
                   .state_bytes = nest_bytes,
                   .n_mid = 1,
                   .mid_rows = longest};

HY_INLINE void ac_leaf(view v, const double *p, lanes *out) {
  out[0] = v_load(v.in[0]) - v_sum(v, p_count(p, 2)) / v_set(p[2]);
}
static void ac_step(const hy__ind_step *s) {
  const hy__ind_step bars = nest_fill(s, (nest){2, 1, 1, signal_rows(s->p), middle, NULL});
  const hy__ind_step over = apart_rows(s, bars.in[0], 1);
  tiles_map(&over, (tiling){1, 1, 1, p_count(s->p, 2), BLOCK, sum_block, ac_leaf});
}
HY_IND_CODE(ac) = {.step = ac_step,
                   .lookback = signal_last,
                   .history = signal_last,
                   .state_bytes = nest_bytes,
                   .n_mid = 2,
                   .mid_rows = signal_rows};

/* Outputs: macd, signal, hist. */
HY_INLINE void macd_leaf(view v, const double *p, lanes *out) {
  const lanes macd = v_load(v.in[0]), signal = v_sum(v, p_count(p, 2)) / v_set(p[2]);
  out[0] = v_keep(v_ok(signal), macd);
  out[1] = signal;
  out[2] = macd - signal;
}
static void macdext_step(const hy__ind_step *s) {
  const hy__ind_step over = apart_rows(s, s->in[0], 0);
  tiles_map(&over, (tiling){1, 1, 3, p_count(s->p, 2), BLOCK, sum_block, macd_leaf});
}
HY_IND_CODE(macdext) = {.step = macdext_step,
                        .lookback = signal_last,
                        .history = signal_last,
                        .n_mid = 1,
                        .mid_rows = signal_rows};
