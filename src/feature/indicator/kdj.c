/* SPDX-License-Identifier: Apache-2.0
 * KDJ: the close's place in the range of n bars, its average K, the average D of that, and
 * 3 K - 2 D. Inputs: high, low, close; p: n, k, d. Outputs: k, d, j. */
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

enum { SLOW_K = 0, SLOW_D = EMA_DOUBLES, END = 2 * EMA_DOUBLES };

static size_t range(const double *p) { return last_of(p, 0); }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }
static size_t stable(const double *p, double tol) {
  return ema_stable(1.0 / p[1], tol) + ema_stable(1.0 / p[2], tol);
}

HY_INLINE void place_leaf(view v, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes high = v_highest(v, 0, 0, n), low = v_lowest(v, 1, 1, n);
  out[0] = v_ratio(v_set(100.0) * (v_load(v.in[2]) - low), high - low, v_zero());
}

/* The places stand in the output until each is used. */
HY_INLINE void smooth(const hy__ind_step *s, ema_rule k_rule, ema_rule d_rule, double origin) {
  const lanes zero = v_set(origin), two = v_set(2.0), three = v_set(3.0);
  tiles_map(s, (tiling){3, 2, 1, p_count(s->p, 0), RUN, channel_block, place_leaf});
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    ema k = ema_load(state + SLOW_K), d = ema_load(state + SLOW_D);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes place = v_load(s->out[0] + at) - zero;
      mask ok;
      const lanes e = ema_push(&k, k_rule, place, v_ok(place), &ok);
      const lanes f = ema_push(&d, d_rule, e, ok, &ok);
      v_store(s->out[0] + at, v_keep(ok, v_fin(e + zero)));
      v_store(s->out[1] + at, v_keep(ok, v_fin(f + zero)));
      v_store(s->out[2] + at, v_keep(ok, v_fin(three * e - two * f + zero)));
    }
    ema_save(state + SLOW_K, k);
    ema_save(state + SLOW_D, d);
  }
}

static size_t talib_last(const double *p) {
  return p_count(p, 0) + p_count(p, 1) + p_count(p, 2) - 3;
}
static void talib_step(const hy__ind_step *s) {
  smooth(s, ema_wilder(s->p[1]), ema_wilder(s->p[2]), 0.0);
}
HY_IND_CODE(kdj_talib) = {.step = talib_step,
                          .lookback = talib_last,
                          .history = range,
                          .state_bytes = bytes,
                          .stable = stable};

/* Both averages stand at 50 before the first place: relative to it, at 0. No seed. */
static void cn_step(const hy__ind_step *s) {
  const double k = s->p[1], d = s->p[2];
  smooth(s, (ema_rule){0, 0, 1.0 / k}, (ema_rule){0, 0, 1.0 / d}, 50.0);
}
HY_IND_CODE(kdj_cn) = {
    .step = cn_step, .lookback = range, .history = range, .state_bytes = bytes, .stable = stable};
