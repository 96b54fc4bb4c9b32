/* SPDX-License-Identifier: Apache-2.0
 * Volatility from returns and from bars: realised, Parkinson, Garman-Klass, Rogers-Satchell,
 * Yang-Zhang, exponentially weighted. A price that is not positive is missing. */
#include "feature/lane/lane_real.h"
#include "feature/lane/nest.h"
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

#define LN2 0.693147180559945309417

static size_t last(const double *p) { return last_of(p, 0); }
static size_t window(const double *p) { return p_count(p, 0); }

HY_INLINE void squared_return(const double *const *in, const double *p, lanes *out) {
  const lanes r = v_ln_ratio(v_load(in[0]), v_ago(in[0], 1));
  (void)p;
  out[0] = r * r;
}
HY_INLINE void sum_outer(const double *const *mid, const double *p, lanes *out) {
  out[0] = w_sum(mid[0], p_count(p, 0));
}
HY_INLINE void sqrt_sum_outer(const double *const *mid, const double *p, lanes *out) {
  out[0] = v_sqrt(w_sum(mid[0], p_count(p, 0)));
}
HY_INLINE void sqrt_mean_outer(const double *const *mid, const double *p, lanes *out) {
  out[0] = v_sqrt(not_negative(w_mean(mid[0], p_count(p, 0))));
}

HY_INLINE void over_window(const hy__ind_step *s, int n_in, hy__row_fn inner, hy__row_fn outer) {
  nest_map(s, (nest){n_in, 1, 1, p_count(s->p, 0), inner, outer});
}

static void rv_volatility_step(const hy__ind_step *s) {
  over_window(s, 1, squared_return, sqrt_sum_outer);
}
HY_IND_CODE(rv_volatility) = {.step = rv_volatility_step,
                              .lookback = window,
                              .history = window,
                              .state_bytes = nest_bytes,
                              .n_mid = 1,
                              .mid_rows = window};

static void rv_variance_step(const hy__ind_step *s) {
  over_window(s, 1, squared_return, sum_outer);
}
HY_IND_CODE(rv_variance) = {.step = rv_variance_step,
                            .lookback = window,
                            .history = window,
                            .state_bytes = nest_bytes,
                            .n_mid = 1,
                            .mid_rows = window};

/* pi/2 times the sum of products of neighbouring absolute returns. */
static size_t bipower_last(const double *p) { return p_count(p, 0) + 1; }
HY_INLINE void bipower_inner(const double *const *in, const double *p, lanes *out) {
  const lanes r0 = v_ln_ratio(v_load(in[0]), v_ago(in[0], 1));
  const lanes r1 = v_ln_ratio(v_ago(in[0], 1), v_ago(in[0], 2));
  (void)p;
  out[0] = v_set(1.57079632679489661923) * v_abs(r0) * v_abs(r1);
}
static void bipower_step(const hy__ind_step *s) { over_window(s, 1, bipower_inner, sum_outer); }
HY_IND_CODE(bipower) = {.step = bipower_step,
                        .lookback = bipower_last,
                        .history = bipower_last,
                        .state_bytes = nest_bytes,
                        .n_mid = 1,
                        .mid_rows = window};

/* Inputs: high, low. */
HY_INLINE void parkinson_inner(const double *const *in, const double *p, lanes *out) {
  const lanes r = v_ln_ratio(v_load(in[0]), v_load(in[1]));
  (void)p;
  out[0] = r * r * v_set(1.0 / (4.0 * LN2));
}
static void parkinson_step(const hy__ind_step *s) {
  over_window(s, 2, parkinson_inner, sqrt_mean_outer);
}
HY_IND_CODE(parkinson) = {.step = parkinson_step,
                          .lookback = last,
                          .history = last,
                          .state_bytes = nest_bytes,
                          .n_mid = 1,
                          .mid_rows = window};

/* Inputs: open, high, low, close. */
HY_INLINE void garman_klass_inner(const double *const *in, const double *p, lanes *out) {
  const lanes hl = v_ln_ratio(v_load(in[1]), v_load(in[2]));
  const lanes co = v_ln_ratio(v_load(in[3]), v_load(in[0]));
  (void)p;
  out[0] = v_set(0.5) * hl * hl - v_set(2.0 * LN2 - 1.0) * co * co;
}
static void garman_klass_step(const hy__ind_step *s) {
  over_window(s, 4, garman_klass_inner, sqrt_mean_outer);
}
HY_IND_CODE(garman_klass) = {.step = garman_klass_step,
                             .lookback = last,
                             .history = last,
                             .state_bytes = nest_bytes,
                             .n_mid = 1,
                             .mid_rows = window};

HY_INLINE lanes rogers(const double *const *in) {
  const lanes open = v_load(in[0]), high = v_load(in[1]), low = v_load(in[2]);
  const lanes close = v_load(in[3]);
  return v_ln_ratio(high, close) * v_ln_ratio(high, open) +
         v_ln_ratio(low, close) * v_ln_ratio(low, open);
}
HY_INLINE void rogers_satchell_inner(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = rogers(in);
}
static void rogers_satchell_step(const hy__ind_step *s) {
  over_window(s, 4, rogers_satchell_inner, sqrt_mean_outer);
}
HY_IND_CODE(rogers_satchell) = {.step = rogers_satchell_step,
                                .lookback = last,
                                .history = last,
                                .state_bytes = nest_bytes,
                                .n_mid = 1,
                                .mid_rows = window};

/* Overnight and open-to-close variances (divisor n-1) and Rogers-Satchell's. */
HY_INLINE void yang_zhang_inner(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_ln_ratio(v_load(in[0]), v_ago(in[3], 1));
  out[1] = v_ln_ratio(v_load(in[3]), v_load(in[0]));
  out[2] = rogers(in);
}
HY_INLINE void yang_zhang_outer(const double *const *mid, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const double k = 0.34 / (1.34 + (p[0] + 1.0) / (p[0] - 1.0));
  const lanes below = v_set(p[0] - 1.0);
  const lanes overnight = w_spread(mid[0], n).squares / below,
              day = w_spread(mid[1], n).squares / below;
  out[0] = v_sqrt(not_negative(overnight + v_set(k) * day + v_set(1.0 - k) * w_mean(mid[2], n)));
}
static void yang_zhang_step(const hy__ind_step *s) {
  nest_map(s, (nest){4, 3, 1, p_count(s->p, 0), yang_zhang_inner, yang_zhang_outer});
}
HY_IND_CODE(yang_zhang) = {.step = yang_zhang_step,
                           .lookback = window,
                           .history = window,
                           .state_bytes = nest_bytes,
                           .n_mid = 3,
                           .mid_rows = window};

/* s = lambda s + (1 - lambda) r^2, seeded by the mean of n; p: n, lambda. */
enum { AVERAGE = HY_LANES, EWMA_END = AVERAGE + EMA_DOUBLES };
static size_t ewma_bytes(const double *p) { return (void)p, EWMA_END * sizeof(double); }
static size_t ewma_stable(const double *p, double tol) { return ema_stable(1.0 - p[1], tol); }
static void ewma_vol_step(const hy__ind_step *s) {
  const ema_rule rule = {1, s->p[0], 1.0 - s->p[1]};
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes previous = v_load(state);
    ema average = ema_load(state + AVERAGE);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g);
      mask ok = v_lt(v_zero(), x);
      const lanes r = v_ln_ratio(x, v_sel(v_lt(v_zero(), previous), previous, x));
      previous = v_sel(ok, x, previous);
      const lanes e = ema_push(&average, rule, r * r, ok, &ok);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(v_sqrt(e))));
    }
    v_store(state, previous);
    ema_save(state + AVERAGE, average);
  }
}
HY_IND_CODE(ewma_vol) = {
    .step = ewma_vol_step, .lookback = window, .state_bytes = ewma_bytes, .stable = ewma_stable};
