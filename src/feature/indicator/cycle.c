/* SPDX-License-Identifier: Apache-2.0
 * What TA-Lib reads off Ehlers' dominant cycle: its period, components, phase, sine, trend line and
 * mode. On prices that do not move all of it is rounding noise. */
#include "feature/lane/hilbert.h"

static size_t bytes(const double *p) { return (void)p, CYCLE_DOUBLES * sizeof(double); }

/* Period and components: measured from bar 12, given from bar 32. */
enum { SHORT_BEGIN = 12, SHORT_FIRST = 32, LONG_BEGIN = 37, LONG_FIRST = 63, LONGEST = 50 };

static size_t short_last(const double *p) { return (void)p, SHORT_FIRST; }

typedef void (*read_fn)(const cycle *now, lanes *out);

HY_INLINE void measured(const hy__ind_step *s, int n_out, read_fn read) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    cycle now = cycle_load(state);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g), seen = now.row[CYCLE_SEEN];
      const mask ok = cycle_push(&now, x, SHORT_BEGIN);
      const mask ready = m_and(ok, v_le(v_set(SHORT_FIRST), seen));
      lanes out[2];
      read(&now, out);
      for (int i = 0; i < n_out; i++)
        v_store(s->out[i] + t * HY_LANES + g, v_keep(ready, v_fin(out[i])));
    }
    cycle_save(state, &now);
  }
}

HY_INLINE void length_of(const cycle *now, lanes *out) { out[0] = now->row[CYCLE_LENGTH]; }
static void dcperiod_step(const hy__ind_step *s) { measured(s, 1, length_of); }
HY_IND_CODE(ht_dcperiod) = {.step = dcperiod_step, .lookback = short_last, .state_bytes = bytes};

HY_INLINE void components_of(const cycle *now, lanes *out) {
  out[0] = now->row[CYCLE_TREND + 3];
  out[1] = now->row[CYCLE_TURNED];
}
static void phasor_step(const hy__ind_step *s) { measured(s, 2, components_of); }
HY_IND_CODE(ht_phasor) = {.step = phasor_step, .lookback = short_last, .state_bytes = bytes};

/* Phase and trend: measured from bar 37, given from bar 63. Smoothed prices stand in the hidden
 * column, 0 before the first that is measured. */
enum { PHASE, SINE, LEAD, MEAN, MEAN1, MEAN2, DAYS, N_LATER };
enum { LATER_END = CYCLE_DOUBLES + N_LATER * HY_LANES };

static size_t long_last(const double *p) { return (void)p, LONG_FIRST; }
static size_t long_history(const double *p) { return (void)p, LONGEST - 1; }
static size_t long_rows(const double *p) { return (void)p, LONGEST; }
static size_t long_bytes(const double *p) { return (void)p, LATER_END * sizeof(double); }

typedef struct reading {
  lanes phase, sine, lead, line, mode;
  mask ok; /* no bar of the windows was missing */
} reading;

/* The rows of one cycle, none of them from before the series. */
HY_INLINE lanes whole_bars(lanes length) { return v_floor(length + v_set(0.5)); }
HY_INLINE mask within_cycle(size_t k, lanes n, lanes seen) {
  return m_and(v_lt(v_set((double)k), n), v_le(v_set((double)k), seen));
}

/* The mean of one cycle's prices, and the trend line that the last four of them make. */
HY_INLINE lanes mean_of(const double *x, lanes length, lanes seen) {
  const lanes n = whole_bars(length);
  lanes sum = v_zero();
  for (size_t k = 0; k < LONGEST; k++) {
    const mask within = within_cycle(k, n, seen);
    if (!m_any(within)) break;
    sum = v_add_if(within, sum, v_ago(x, k));
  }
  return v_ratio(sum, n, v_zero());
}
HY_INLINE lanes line_of(lanes mean, const lanes *before) {
  const lanes sum = v_set(4.0) * mean + v_set(3.0) * before[0] + v_set(2.0) * before[1] + before[2];
  return sum / v_set(10.0);
}

/* The smoothed prices of one cycle as a point of the plane. */
typedef struct point {
  lanes real, imaginary;
} point;

HY_INLINE point point_of(const double *smooth, lanes length, lanes seen) {
  const lanes n = whole_bars(length), turn = v_set(6.28318530717958647693) / n;
  const lanes cos_turn = v_cos(turn), sin_turn = v_sin(turn);
  lanes c = v_set(1.0), s = v_zero(), real = v_zero(), imaginary = v_zero();
  for (size_t k = 0; k < LONGEST; k++) {
    const mask within = within_cycle(k, n, seen);
    if (!m_any(within)) break;
    const lanes price = v_ago(smooth, k), next = c * cos_turn - s * sin_turn;
    real = v_add_if(within, real, s * price); /* a cycle of no bars has no angles either */
    imaginary = v_add_if(within, imaginary, c * price);
    s = s * cos_turn + c * sin_turn;
    c = next;
  }
  return (point){real, imaginary};
}

/* Degrees, -45..315. */
HY_INLINE lanes phase_of(point w, lanes length, lanes before) {
  const lanes quarter = v_set(90.0), zero = v_zero();
  const lanes turned = v_atan(w.real / w.imaginary) * v_set(CYCLE_DEGREES);
  const lanes side = v_sel(v_lt(w.real, zero), before - quarter,
                           v_sel(v_lt(zero, w.real), before + quarter, before));
  lanes phase = v_sel(v_eq(w.imaginary, zero), side, turned);
  phase += quarter + v_set(360.0) / length;
  phase = v_sel(v_lt(w.imaginary, zero), phase + v_set(180.0), phase);
  return v_sel(v_lt(v_set(315.0), phase), phase - v_set(360.0), phase);
}

/* 1 in a trend; 0 in a cycle: since the sine crossed its lead less than half a cycle ago, or while
 * the phase turns as the cycle would have it, unless the price has left the line by 1.5 %. */
HY_INLINE lanes mode_of(reading r, const lanes *old, lanes length, lanes smooth, lanes *days) {
  const lanes one = v_set(1.0), rate = v_set(360.0) / length, turn = r.phase - old[PHASE];
  const mask up = m_and(v_lt(r.lead, r.sine), v_le(old[SINE], old[LEAD]));
  const mask down = m_and(v_lt(r.sine, r.lead), v_le(old[LEAD], old[SINE]));
  const mask crossed = m_or(up, down);
  *days = v_sel(crossed, one, old[DAYS] + one);
  const mask early = v_lt(*days, v_set(0.5) * length);
  const mask turns = m_and(v_lt(v_set(0.67) * rate, turn), v_lt(turn, v_set(1.5) * rate));
  const lanes away = v_abs((smooth - r.line) / r.line);
  const mask left = m_andnot(v_le(v_set(0.015), away), v_eq(r.line, v_zero()));
  const lanes cycling = v_sel(m_or(crossed, m_or(early, turns)), v_zero(), one);
  return v_sel(left, one, cycling);
}

/* Takes what cycle_push left; old holds the rows of the bar before and becomes this bar's. */
HY_INLINE reading read_later(const cycle *now, const double *smooth, const double *x, lanes *old) {
  const lanes length = now->row[CYCLE_LENGTH], radians = v_set(1.0 / CYCLE_DEGREES);
  const lanes seen = now->row[CYCLE_SEEN] - v_set(1.0), mean = mean_of(x, length, seen);
  reading r;
  r.phase = phase_of(point_of(smooth, length, seen), length, old[PHASE]);
  r.sine = v_sin(r.phase * radians);
  r.lead = v_sin((r.phase + v_set(45.0)) * radians);
  r.line = line_of(mean, old + MEAN);
  lanes days;
  r.mode = mode_of(r, old, length, now->row[CYCLE_SMOOTH], &days);
  r.ok = m_and(v_ok(r.phase), v_ok(r.line));
  const lanes next[N_LATER] = {r.phase, r.sine, r.lead, mean, old[MEAN], old[MEAN1], days};
  for (int i = 0; i < N_LATER; i++) old[i] = next[i];
  return r;
}

typedef void (*later_fn)(const reading *r, lanes *out);

HY_INLINE void later(const hy__ind_step *s, int n_out, later_fn give) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g, *const more = state + CYCLE_DOUBLES;
    cycle now = cycle_load(state);
    lanes held[N_LATER];
    for (int i = 0; i < N_LATER; i++) held[i] = v_load(more + i * HY_LANES);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes x = v_load(s->in[0] + at), seen = now.row[CYCLE_SEEN];
      const mask ok = cycle_push(&now, x, LONG_BEGIN);
      v_store(s->mid[0] + at, v_keep(v_ok(x), v_only(ok, now.row[CYCLE_SMOOTH])));
      lanes next[N_LATER], out[2];
      for (int i = 0; i < N_LATER; i++) next[i] = held[i];
      const reading r = read_later(&now, s->mid[0] + at, s->in[0] + at, next);
      const mask good = m_and(ok, r.ok), ready = m_and(good, v_le(v_set(LONG_FIRST), seen));
      for (int i = 0; i < N_LATER; i++) held[i] = v_sel(good, next[i], held[i]);
      give(&r, out);
      for (int i = 0; i < n_out; i++) v_store(s->out[i] + at, v_keep(ready, v_fin(out[i])));
    }
    cycle_save(state, &now);
    for (int i = 0; i < N_LATER; i++) v_store(more + i * HY_LANES, held[i]);
  }
}

#define LATER(symbol, n_out, give)                                                                 \
  static void symbol##_step(const hy__ind_step *s) { later(s, n_out, give); }                      \
  HY_IND_CODE(symbol) = {.step = symbol##_step,                                                    \
                         .lookback = long_last,                                                    \
                         .history = long_history,                                                  \
                         .state_bytes = long_bytes,                                                \
                         .n_mid = 1,                                                               \
                         .mid_rows = long_rows}

HY_INLINE void give_phase(const reading *r, lanes *out) { out[0] = r->phase; }
HY_INLINE void give_sine(const reading *r, lanes *out) { out[0] = r->sine, out[1] = r->lead; }
HY_INLINE void give_mode(const reading *r, lanes *out) { out[0] = r->mode; }

LATER(ht_dcphase, 1, give_phase);
LATER(ht_sine, 2, give_sine);
LATER(ht_trendmode, 1, give_mode);

/* The trend line needs no phase. */
enum { LINE_END = CYCLE_DOUBLES + 3 * HY_LANES };
static size_t line_bytes(const double *p) { return (void)p, LINE_END * sizeof(double); }
static void ht_trendline_step(const hy__ind_step *s) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g, *const more = state + CYCLE_DOUBLES;
    cycle now = cycle_load(state);
    lanes means[3];
    for (int i = 0; i < 3; i++) means[i] = v_load(more + i * HY_LANES);
    for (size_t t = 0; t < s->n; t++) {
      const double *const x = s->in[0] + t * HY_LANES + g;
      const lanes seen = now.row[CYCLE_SEEN];
      const mask ok = cycle_push(&now, v_load(x), LONG_BEGIN);
      const lanes mean = mean_of(x, now.row[CYCLE_LENGTH], seen), line = line_of(mean, means);
      const mask good = m_and(ok, v_ok(line)), ready = m_and(good, v_le(v_set(LONG_FIRST), seen));
      for (int i = 2; i >= 0; i--) means[i] = v_sel(good, i > 0 ? means[i - 1] : mean, means[i]);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ready, v_fin(line)));
    }
    cycle_save(state, &now);
    for (int i = 0; i < 3; i++) v_store(more + i * HY_LANES, means[i]);
  }
}
HY_IND_CODE(ht_trendline) = {.step = ht_trendline_step,
                             .lookback = long_last,
                             .history = long_history,
                             .state_bytes = line_bytes};
