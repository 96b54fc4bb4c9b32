/* SPDX-License-Identifier: Apache-2.0
 * What trading costs, read from bars: range and return per volume, and the bid-ask spreads of Roll
 * and of Corwin and Schultz. A price that is not positive is missing. */
#include "feature/lane/lane_real.h"
#include "feature/lane/nest.h"
#include "feature/lane/window.h"

static size_t window(const double *p) { return p_count(p, 0); }

/* Inputs: high, low, volume. */
HY_INLINE void marketfi_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_ratio(v_load(in[0]) - v_load(in[1]), v_load(in[2]), v_zero());
}
static void marketfi_step(const hy__ind_step *s) { rows_map(s, 3, 1, marketfi_row); }
HY_IND_CODE(marketfi) = {.step = marketfi_step};

/* Inputs: close, volume. Bars without volume are left out of the mean. */
HY_INLINE void amihud_inner(const double *const *in, const double *p, lanes *out) {
  const lanes close = v_load(in[0]), volume = v_load(in[1]);
  const lanes move = v_abs(v_ln_ratio(close, v_ago(in[0], 1)));
  const mask none = v_eq(volume, v_zero());
  (void)p;
  out[0] = v_ratio(move, close * volume, v_zero());
  out[1] = v_sel(none, v_zero(), v_set(1.0));
}
HY_INLINE void amihud_outer(const double *const *mid, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  out[0] = v_ratio(w_sum(mid[0], n), w_sum(mid[1], n), v_missing());
}
static void amihud_step(const hy__ind_step *s) {
  nest_map(s, (nest){2, 2, 1, p_count(s->p, 0), amihud_inner, amihud_outer});
}
HY_IND_CODE(amihud) = {.step = amihud_step,
                       .lookback = window,
                       .history = window,
                       .state_bytes = nest_bytes,
                       .n_mid = 2,
                       .mid_rows = window};

/* 2 sqrt(-cov) of the changes with the ones before them: n changes, so n - 1 pairs. */
HY_INLINE void roll_inner(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_ln_ratio(v_load(in[0]), v_ago(in[0], 1));
}
HY_INLINE void roll_outer(const double *const *mid, const double *p, lanes *out) {
  const size_t pairs = p_count(p, 0) - 1;
  const lanes newer = w_mean(mid[0], pairs), older = w_mean(mid[0] - HY_LANES, pairs);
  const double below = p[0] > 2.0 ? p[0] - 2.0 : 0.0;
  lanes sum = v_zero();
  for (size_t k = 0; k < pairs; k++)
    sum += (v_ago(mid[0], k) - newer) * (v_ago(mid[0], k + 1) - older);
  out[0] = v_set(2.0) * v_sqrt(not_negative(v_zero() - sum / v_set(below)));
}
static void roll_step(const hy__ind_step *s) {
  nest_map(s, (nest){1, 1, 1, p_count(s->p, 0), roll_inner, roll_outer});
}
HY_IND_CODE(roll_spread) = {.step = roll_step,
                            .lookback = window,
                            .history = window,
                            .state_bytes = nest_bytes,
                            .n_mid = 1,
                            .mid_rows = window};

/* Inputs: high, low. Of two neighbouring bars: the sum of their squared log ranges, and the squared
 * log range of both together. */
HY_INLINE void corwin_schultz_inner(const double *const *in, const double *p, lanes *out) {
  const lanes high = v_load(in[0]), low = v_load(in[1]), one = v_set(1.0);
  const lanes high1 = v_ago(in[0], 1), low1 = v_ago(in[1], 1);
  const lanes r0 = v_ln_ratio(high, low), r1 = v_ln_ratio(high1, low1);
  const lanes both = v_ln_ratio(v_max(high, high1), v_min(low, low1));
  const lanes unit = v_set(0.17157287525380990240); /* 3 - 2 sqrt 2 */
  const lanes beta = r0 * r0 + r1 * r1;
  const lanes alpha =
      v_set(0.41421356237309504880) * v_sqrt(beta) / unit - v_sqrt(both * both / unit);
  const lanes grown = v_exp(alpha);
  (void)p;
  out[0] = not_negative(v_set(2.0) * (grown - one) / (one + grown));
}
HY_INLINE void mean_outer(const double *const *mid, const double *p, lanes *out) {
  out[0] = w_mean(mid[0], p_count(p, 0));
}
static void corwin_schultz_step(const hy__ind_step *s) {
  nest_map(s, (nest){2, 1, 1, p_count(s->p, 0), corwin_schultz_inner, mean_outer});
}
HY_IND_CODE(corwin_schultz) = {.step = corwin_schultz_step,
                               .lookback = window,
                               .history = window,
                               .state_bytes = nest_bytes,
                               .n_mid = 1,
                               .mid_rows = window};
