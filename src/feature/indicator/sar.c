/* SPDX-License-Identifier: Apache-2.0
 * Wilder's parabolic stop and reverse. Inputs: high, low. A short position is a long one with the
 * prices' sign turned: everything is computed on the side of the position, exactly. */
#include "feature/lane/lane.h"

enum { SIDE = 0, STOP = 1, EXTREME = 2, PACE = 3, HIGH = 4, LOW = 5, SEEN = 6, N_ROWS = 7 };

static size_t one(const double *p) { return (void)p, 1; }
static size_t bytes(const double *p) { return (void)p, N_ROWS * HY_LANES * sizeof(double); }

/* A position: 1 long, -1 short; its stop, its best price and its acceleration; the bar before, and
 * how many bars there were, up to 2. Stop and extreme are prices times the side. */
typedef struct position {
  lanes side, stop, extreme, pace, high, low, seen;
} position;

/* How a position of one side accelerates. */
typedef struct pace {
  double begin, step, most;
} pace;

typedef struct rules {
  double start, gap; /* stop to begin with (0: by the first two bars); widening at a turn */
  pace up, down;
} rules;

HY_INLINE pace pace_of(double begin, double step, double most) {
  return (pace){HY_MIN(begin, most), HY_MIN(step, most), most};
}

/* With the second bar: short when the low fell by more than the high rose. */
HY_INLINE void position_begin(position *s, rules r, lanes high, lanes low, mask begins) {
  const lanes up = high - s->high, down = s->low - low, one_up = v_set(1.0);
  const mask falls = m_and(v_lt(v_zero(), down), v_lt(up, down));
  lanes side = v_sel(falls, v_zero() - one_up, one_up);
  lanes stop = v_sel(falls, v_zero() - s->high, s->low);
  if (r.start != 0.0) {
    side = v_set(r.start > 0.0 ? 1.0 : -1.0);
    stop = v_set(r.start);
  }
  const mask is_long = v_lt(v_zero(), side);
  s->side = v_sel(begins, side, s->side);
  s->stop = v_sel(begins, stop, s->stop);
  s->extreme = v_sel(begins, v_sel(is_long, high, v_zero() - low), s->extreme);
  s->pace = v_sel(begins, v_sel(is_long, v_set(r.up.begin), v_set(r.down.begin)), s->pace);
  s->high = v_sel(begins, high, s->high); /* the bar stands for the one before it as well */
  s->low = v_sel(begins, low, s->low);
}

/* The stop of this bar, times the new side; the state becomes the next bar's. */
HY_INLINE lanes position_push(position *s, rules r, lanes high, lanes low, mask ok) {
  const mask is_long = v_lt(v_zero(), s->side);
  const lanes worst = v_sel(is_long, low, v_zero() - high);
  const lanes best = v_sel(is_long, high, v_zero() - low);
  const lanes worst_before = v_sel(is_long, s->low, v_zero() - s->high);
  const lanes best_before = v_sel(is_long, s->high, v_zero() - s->low);
  const mask turns = v_le(worst, s->stop);

  const lanes step = v_sel(is_long, v_set(r.up.step), v_set(r.down.step));
  const lanes most = v_sel(is_long, v_set(r.up.most), v_set(r.down.most));
  const mask better = v_lt(s->extreme, best);
  const lanes faster = v_sel(better, v_min(s->pace + step, most), s->pace);
  const lanes extreme = v_sel(better, best, s->extreme);
  const lanes stop = s->stop + faster * (extreme - s->stop);
  const lanes held = v_min(v_min(stop, worst_before), worst);

  const lanes begin = v_sel(is_long, v_set(r.down.begin), v_set(r.up.begin));
  const lanes top = v_max(v_max(s->extreme, best_before), best);
  const lanes turn = top + s->side * top * v_set(r.gap);
  const lanes after = v_max(v_max(turn + begin * (worst - turn), best_before), best);

  const lanes value = v_sel(turns, v_zero() - turn, s->stop);
  s->stop = v_sel(ok, v_sel(turns, v_zero() - after, held), s->stop);
  s->extreme = v_sel(ok, v_sel(turns, v_zero() - worst, extreme), s->extreme);
  s->pace = v_sel(ok, v_sel(turns, begin, faster), s->pace);
  s->side = v_sel(m_and(ok, turns), v_zero() - s->side, s->side);
  return value;
}

HY_INLINE void run(const hy__ind_step *s, rules r, bool is_signed) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes *field[N_ROWS];
    position now;
    field[SIDE] = &now.side, field[STOP] = &now.stop, field[EXTREME] = &now.extreme;
    field[PACE] = &now.pace, field[HIGH] = &now.high, field[LOW] = &now.low;
    field[SEEN] = &now.seen;
    for (int i = 0; i < N_ROWS; i++) *field[i] = v_load(state + i * HY_LANES);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes high = v_load(s->in[0] + at), low = v_load(s->in[1] + at);
      const mask ok = v_ok(high - low);
      const mask begins = m_and(ok, v_eq(now.seen, v_set(1.0)));
      if (__builtin_expect(m_any(begins), 0)) position_begin(&now, r, high, low, begins);
      const mask ready = m_and(ok, m_steady(v_lt(v_zero(), now.seen)));
      lanes value = position_push(&now, r, high, low, ready);
      if (!is_signed) value = value * now.side;
      now.high = v_sel(ok, high, now.high);
      now.low = v_sel(ok, low, now.low);
      now.seen = v_sel(ok, v_min(now.seen + v_set(1.0), v_set(2.0)), now.seen);
      v_store(s->out[0] + at, v_keep(ready, v_fin(value)));
    }
    for (int i = 0; i < N_ROWS; i++) v_store(state + i * HY_LANES, *field[i]);
  }
}

/* p: step, most. */
static void sar_step(const hy__ind_step *s) {
  const pace both = pace_of(s->p[0], s->p[0], s->p[1]);
  run(s, (rules){0.0, 0.0, both, both}, false);
}
HY_IND_CODE(sar) = {.step = sar_step, .lookback = one, .state_bytes = bytes};

/* p: start, gap, then begin, step, most for long and for short positions. */
static void sarext_step(const hy__ind_step *s) {
  const double *const p = s->p;
  run(s, (rules){p[0], p[1], pace_of(p[2], p[3], p[4]), pace_of(p[5], p[6], p[7])}, true);
}
HY_IND_CODE(sarext) = {.step = sarext_step, .lookback = one, .state_bytes = bytes};
