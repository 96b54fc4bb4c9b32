/* SPDX-License-Identifier: Apache-2.0
 * The candles' bodies over a window. Inputs: open, close. */
#include "feature/lane/nest.h"
#include "feature/lane/window.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE void body(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_load(in[1]) - v_load(in[0]);
}
HY_INLINE void qstick_leaf(view v, const double *p, lanes *out) {
  out[0] = v_sum(v, p_count(p, 0)) / v_set(p[0]);
}
static void qstick_step(const hy__ind_step *s) {
  const size_t n = p_count(s->p, 0);
  const hy__ind_step over = nest_fill(s, (nest){2, 1, 1, n, body, NULL});
  tiles_map(&over, (tiling){1, 1, 1, n, BLOCK, sum_block, qstick_leaf});
}
HY_IND_CODE(qstick) = {.step = qstick_step,
                       .lookback = last,
                       .history = last,
                       .state_bytes = nest_bytes,
                       .n_mid = 1,
                       .mid_rows = window};

HY_INLINE void rise_and_size(const double *const *in, const double *p, lanes *out) {
  lanes d;
  body(in, p, &d);
  out[0] = v_max(v_zero(), d); /* d where it is NaN */
  out[1] = v_abs(d);
}
HY_INLINE void imi_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes up = v_set(100.0) * v_sum_at(v, 0, 0, n);
  out[0] = v_ratio(up, v_sum_at(v, 1, 1, n), v_set(50.0));
}
static void imi_step(const hy__ind_step *s) {
  const size_t n = p_count(s->p, 0);
  const hy__ind_step over = nest_fill(s, (nest){2, 2, 1, n, rise_and_size, NULL});
  tiles_map(&over, (tiling){2, 2, 1, n, BLOCK, two_sums, imi_leaf});
}
HY_IND_CODE(imi) = {.step = imi_step,
                    .lookback = last,
                    .history = last,
                    .state_bytes = nest_bytes,
                    .n_mid = 2,
                    .mid_rows = window};
