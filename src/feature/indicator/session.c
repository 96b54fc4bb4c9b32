/* SPDX-License-Identifier: Apache-2.0
 * Where a bar stands in its session, by the session's open and close, its date and the next one's.
 * A session is that of the universe's calendar; bars between two belong to the later. */
#include "feature/lane/lane.h"

static size_t one(const double *p) { return (void)p, 1; }

HY_INLINE lanes v_floor_small(lanes a) {
  const lanes magic = v_set(6755399441055744.0), near = (a + magic) - magic;
  return v_sel(v_lt(a, near), near - v_set(1.0), near);
}
HY_INLINE lanes truth(lanes witness, mask is) {
  return v_keep(v_ok(witness), v_only(is, v_set(1.0)));
}

HY_INLINE void session_id_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_fin(v_load(in[0]));
}
static void session_id_step(const hy__ind_step *s) { rows_map(s, 1, 1, session_id_row); }
HY_IND_CODE(session_id) = {.step = session_id_step};

/* Inputs: @time, @open, @close. */
HY_INLINE void frac_session_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  const lanes open = v_load(in[1]);
  const lanes gone = v_max(v_load(in[0]) - open, v_zero());
  const lanes share = v_min(gone / (v_load(in[2]) - open), v_set(1.0));
  out[0] = v_keep(v_ok(gone + v_load(in[2])), v_fin(share));
}
static void frac_session_step(const hy__ind_step *s) { rows_map(s, 3, 1, frac_session_row); }
HY_IND_CODE(frac_session) = {.step = frac_session_step};

/* Inputs: @time, @close. */
HY_INLINE void sec_to_close_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_fin(v_load(in[1]) - v_load(in[0]));
}
static void sec_to_close_step(const hy__ind_step *s) { rows_map(s, 2, 1, sec_to_close_row); }
HY_IND_CODE(sec_to_close) = {.step = sec_to_close_step};

HY_INLINE void is_last_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  const lanes time = v_load(in[0]), close = v_load(in[1]);
  out[0] = truth(time + close, v_le(close, time));
}
static void is_last_step(const hy__ind_step *s) { rows_map(s, 2, 1, is_last_row); }
HY_IND_CODE(is_last) = {.step = is_last_step};

/* Input: @session. */
HY_INLINE void is_first_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  const lanes now = v_load(in[0]), before = v_ago(in[0], 1);
  out[0] = truth(now + before, v_lt(before, now));
}
static void is_first_step(const hy__ind_step *s) { rows_map(s, 1, 1, is_first_row); }
HY_IND_CODE(is_first) = {.step = is_first_step, .lookback = one, .history = one};

/* Input: @time. */
HY_INLINE void gap_sec_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_fin(v_load(in[0]) - v_ago(in[0], 1));
}
static void gap_sec_step(const hy__ind_step *s) { rows_map(s, 1, 1, gap_sec_row); }
HY_IND_CODE(gap_sec) = {.step = gap_sec_step, .lookback = one, .history = one};

/* Inputs: @session, @next. Saturday and Sunday are no holidays: 1970-01-01 was a Thursday. */
HY_INLINE void holiday_eve_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  const lanes day = v_load(in[0]), next = v_load(in[1]), week = v_set(7.0);
  const lanes weekday = day + v_set(3.0) - v_floor_small((day + v_set(3.0)) / week) * week;
  const lanes weekend = v_max(week - weekday, v_set(1.0)); /* 3 on Fridays, 2 on Saturdays, 1 */
  const lanes step = v_sel(v_lt(weekday, v_set(4.0)), v_set(1.0), weekend);
  out[0] = truth(day + next, v_lt(day + step, next));
}
static void holiday_eve_step(const hy__ind_step *s) { rows_map(s, 2, 1, holiday_eve_row); }
HY_IND_CODE(holiday_eve) = {.step = holiday_eve_step};

/* Input: @session. The bars that the session had before this one. */
enum { SESSION = 0, SEEN = HY_LANES, COUNT = 2 * HY_LANES, END = 3 * HY_LANES };
static size_t bars_bytes(const double *p) { return (void)p, END * sizeof(double); }
static void bars_since_open_step(const hy__ind_step *s) {
  const lanes unit = v_set(1.0);
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes session = v_load(state + SESSION), seen = v_load(state + SEEN);
    lanes count = v_load(state + COUNT);
    for (size_t t = 0; t < s->n; t++) {
      const lanes now = v_load(s->in[0] + t * HY_LANES + g);
      const mask ok = v_ok(now), same = m_and(v_eq(now, session), v_lt(v_zero(), seen));
      count = v_sel(ok, v_only(same, count + unit), count);
      session = v_sel(ok, now, session);
      seen = v_sel(ok, unit, seen);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(count)));
    }
    v_store(state + SESSION, session);
    v_store(state + SEEN, seen);
    v_store(state + COUNT, count);
  }
}
HY_IND_CODE(bars_since_open) = {.step = bars_since_open_step, .state_bytes = bars_bytes};

/* Input: volume. */
static size_t stale_bytes(const double *p) { return (void)p, HY_LANES * sizeof(double); }
static void stale_bars_step(const hy__ind_step *s) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes count = v_load(state);
    for (size_t t = 0; t < s->n; t++) {
      const lanes volume = v_load(s->in[0] + t * HY_LANES + g);
      const mask ok = v_ok(volume);
      count = v_sel(ok, v_only(v_eq(volume, v_zero()), count + v_set(1.0)), count);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(count)));
    }
    v_store(state, count);
  }
}
HY_IND_CODE(stale_bars) = {.step = stale_bars_step, .state_bytes = stale_bytes};
