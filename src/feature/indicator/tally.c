/* SPDX-License-Identifier: Apache-2.0
 * What happened within a window: products, counts, crossings, the narrowest bar; and runs. */
#include "feature/lane/window.h"

static size_t one(const double *p) { return (void)p, 1; }
static size_t last(const double *p) { return last_of(p, 0); }

HY_INLINE void prod_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  lanes a0 = v_load(in[0]), a1 = v_set(1.0);
  for (size_t k = 1; k < n; k += 2) a1 = a1 * v_ago(in[0], k);
  for (size_t k = 2; k < n; k += 2) a0 = a0 * v_ago(in[0], k);
  out[0] = a0 * a1;
}
static void prod_step(const hy__ind_step *s) { rows_map(s, 1, 1, prod_row); }
HY_IND_CODE(prod) = {.step = prod_step, .lookback = last, .history = last};

/* How many of the window are not 0. */
HY_INLINE void count_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  lanes count = v_set((double)n), sum = v_zero();
  for (size_t k = 0; k < n; k++) {
    const lanes x = v_ago(in[0], k);
    count = v_add_if(v_eq(x, v_zero()), count, v_set(-1.0));
    sum += x;
  }
  out[0] = v_keep(v_ok(sum), count);
}
static void count_step(const hy__ind_step *s) { rows_map(s, 1, 1, count_row); }
HY_IND_CODE(count) = {.step = count_step, .lookback = last, .history = last};

/* Inputs: x, y. 1 where x comes above y, -1 where it falls below, 0 else. */
HY_INLINE void crossed_row(const double *const *in, const double *p, lanes *out) {
  const lanes now = v_load(in[0]), level = v_load(in[1]), one_up = v_set(1.0);
  const lanes before = v_ago(in[0], 1), level_before = v_ago(in[1], 1);
  const mask up = m_and(v_gt(now, level), v_le(before, level_before));
  const mask down = m_and(v_lt(now, level), v_ge(before, level_before));
  const lanes witness = (now + level) + (before + level_before);
  (void)p;
  out[0] = v_keep(v_ok(witness), v_only(up, one_up) - v_only(down, one_up));
}
static void crossed_step(const hy__ind_step *s) { rows_map(s, 2, 1, crossed_row); }
HY_IND_CODE(crossed) = {.step = crossed_step, .lookback = one, .history = one};

/* Inputs: open, close. */
HY_INLINE void gap_row(const double *const *in, const double *p, lanes *out) {
  const lanes before = v_ago(in[1], 1);
  (void)p;
  out[0] = v_keep(v_ok(v_load(in[1])), v_ratio(v_load(in[0]) - before, before, v_missing()));
}
static void gap_step(const hy__ind_step *s) { rows_map(s, 2, 1, gap_row); }
HY_IND_CODE(gap) = {.step = gap_step, .lookback = one, .history = one};

/* Inputs: high, low. */
HY_INLINE void inside_bar_row(const double *const *in, const double *p, lanes *out) {
  const lanes high = v_load(in[0]), low = v_load(in[1]);
  const lanes high_before = v_ago(in[0], 1), low_before = v_ago(in[1], 1);
  const mask inside = m_and(v_lt(high, high_before), v_lt(low_before, low));
  const lanes witness = (high + low) + (high_before + low_before);
  (void)p;
  out[0] = v_keep(v_ok(witness), v_only(inside, v_set(1.0)));
}
static void inside_bar_step(const hy__ind_step *s) { rows_map(s, 2, 1, inside_bar_row); }
HY_IND_CODE(inside_bar) = {.step = inside_bar_step, .lookback = one, .history = one};

/* Inputs: high, low. 1 where the range is smaller than each of the n - 1 before it. */
HY_INLINE void nr_row(const double *const *in, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const lanes range = v_load(in[0]) - v_load(in[1]);
  lanes least = v_set(__builtin_inf()), sum = range;
  for (size_t k = 1; k < n; k++) {
    const lanes before = v_ago(in[0], k) - v_ago(in[1], k);
    least = v_min(least, before);
    sum += before;
  }
  out[0] = v_keep(v_ok(sum), v_only(v_lt(range, least), v_set(1.0)));
}
static void nr_step(const hy__ind_step *s) { rows_map(s, 2, 1, nr_row); }
HY_IND_CODE(nr) = {.step = nr_step, .lookback = last, .history = last};

/* The length of the run of rises (positive) or falls (negative) that ends here. */
enum { PREVIOUS = 0, SEEN = HY_LANES, RUNNING = 2 * HY_LANES, END = 3 * HY_LANES };
static size_t streak_bytes(const double *p) { return (void)p, END * sizeof(double); }
static void streak_step(const hy__ind_step *s) {
  const lanes unit = v_set(1.0);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes previous = v_load(state + PREVIOUS), seen = v_load(state + SEEN);
    lanes running = v_load(state + RUNNING);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g);
      const mask ok = v_ok(x), ready = m_and(ok, m_steady(v_lt(v_zero(), seen)));
      const lanes rise = v_max(running, v_zero()) + unit, fall = v_min(running, v_zero()) - unit;
      const lanes next = v_only(v_lt(previous, x), rise) + v_only(v_lt(x, previous), fall);
      running = v_sel(ready, next, running);
      previous = v_sel(ok, x, previous);
      seen = v_sel(ok, unit, seen);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ready, v_fin(running)));
    }
    v_store(state + PREVIOUS, previous);
    v_store(state + SEEN, seen);
    v_store(state + RUNNING, running);
  }
}
HY_IND_CODE(streak) = {.step = streak_step, .lookback = one, .state_bytes = streak_bytes};
