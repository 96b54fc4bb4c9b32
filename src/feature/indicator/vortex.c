/* SPDX-License-Identifier: Apache-2.0
 * Movement against the way that was gone: the vortex of Botes and Siepman (inputs high, low, close)
 * and the vertical horizontal filter (one series). */
#include "feature/lane/nest.h"
#include "feature/lane/window.h"

static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE void vortex_inner(const double *const *in, const double *p, lanes *out) {
  const lanes high = v_load(in[0]), low = v_load(in[1]), close = v_ago(in[2], 1);
  const lanes up = v_abs(high - v_ago(in[1], 1)), down = v_abs(low - v_ago(in[0], 1));
  const lanes missing = v_load(in[2]) - v_load(in[2]);
  const lanes range = v_max(high - low, v_max(v_abs(high - close), v_abs(low - close)));
  (void)p;
  out[0] = up + missing;
  out[1] = down + missing;
  out[2] = range + (close - close) + (up - up) + missing;
}
HY_INLINE void vortex_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes range = v_sum_at(v, 2, 2, n);
  for (int i = 0; i < 2; i++) out[i] = v_ratio(v_sum_at(v, i, i, n), range, v_zero());
}
static void vortex_step(const hy__ind_step *s) {
  const size_t n = p_count(s->p, 0);
  const hy__ind_step over = nest_fill(s, (nest){3, 3, 2, n, vortex_inner, NULL});
  tiles_map(&over, (tiling){3, 3, 2, n, BLOCK, three_sums, vortex_leaf});
}
HY_IND_CODE(vortex) = {.step = vortex_step,
                       .lookback = window,
                       .history = window,
                       .state_bytes = nest_bytes,
                       .n_mid = 3,
                       .mid_rows = window};

/* The range of n bars, which stands in the output until it is divided by the way of n changes. */
HY_INLINE void range_block(const double *const *in, lanes *column) {
  column[0] = max_run(in[0], RUN);
  column[1] = min_run(in[0], RUN);
}
HY_INLINE void range_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_highest(v, 0, 0, n) - v_lowest(v, 0, 1, n);
}
HY_INLINE void change_inner(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_abs(v_load(in[0]) - v_ago(in[0], 1));
}
HY_INLINE void vhf_leaf(view v, const double *p, lanes *out) {
  out[0] = v_ratio(v_load(v.in[1]), v_sum(v, p_count(p, 0)), v_zero());
}
static void vhf_step(const hy__ind_step *s) {
  const size_t n = p_count(s->p, 0);
  tiles_map(s, (tiling){1, 2, 1, n, RUN, range_block, range_leaf});
  hy__ind_step over = nest_fill(s, (nest){1, 1, 1, n, change_inner, NULL});
  over.in[1] = s->out[0];
  tiles_map(&over, (tiling){2, 1, 1, n, BLOCK, sum_block, vhf_leaf});
}
HY_IND_CODE(vhf) = {.step = vhf_step,
                    .lookback = window,
                    .history = window,
                    .state_bytes = nest_bytes,
                    .n_mid = 1,
                    .mid_rows = window};
