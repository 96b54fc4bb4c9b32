/* SPDX-License-Identifier: Apache-2.0
 * Volume and the direction of prices. A bar with a missing input is passed over. Inputs: close,
 * volume; the weighted averages take high, low, close, volume, and the session's a clock. */
#include "feature/lane/recur.h"
#include "feature/lane/window.h"

enum { TOTAL = 0, PREVIOUS = HY_LANES, SEEN = 2 * HY_LANES, END = 3 * HY_LANES };

static size_t none(const double *p) { return (void)p, 0; }
static size_t bytes(const double *p) { return (void)p, END * sizeof(double); }

/* What a bar adds, from close and volume, the previous close and whether there is one. */
typedef lanes (*add_fn)(lanes close, lanes volume, lanes previous, mask seen);

HY_INLINE void accumulate(const hy__ind_step *s, add_fn add) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes total = v_load(state + TOTAL), previous = v_load(state + PREVIOUS);
    lanes seen = v_load(state + SEEN);
    for (size_t t = 0; t < s->n; t++) {
      const lanes close = v_load(s->in[0] + t * HY_LANES + g);
      const lanes volume = v_load(s->in[1] + t * HY_LANES + g);
      const mask ok = m_and(v_ok(close), v_ok(volume));
      const mask later = m_steady(v_lt(v_zero(), seen));
      total = v_sel(ok, total + add(close, volume, previous, later), total);
      previous = v_sel(ok, close, previous);
      seen = v_sel(ok, v_set(1.0), seen);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(total)));
    }
    v_store(state + TOTAL, total);
    v_store(state + PREVIOUS, previous);
    v_store(state + SEEN, seen);
  }
}

/* The first bar counts as a rise: TA-Lib starts at its volume. */
HY_INLINE lanes obv_add(lanes close, lanes volume, lanes previous, mask seen) {
  const lanes before = v_sel(seen, previous, close - v_set(1.0));
  const lanes fallen = v_sel(v_lt(close, before), v_zero() - volume, v_zero());
  return v_sel(v_lt(before, close), volume, fallen);
}
static void obv_step(const hy__ind_step *s) { accumulate(s, obv_add); }
HY_IND_CODE(obv) = {.step = obv_step, .lookback = none, .state_bytes = bytes};

HY_INLINE lanes pvt_add(lanes close, lanes volume, lanes previous, mask seen) {
  return v_only(seen, v_ratio(close - previous, previous, v_zero()) * volume);
}
static void pvt_step(const hy__ind_step *s) { accumulate(s, pvt_add); }
HY_IND_CODE(pvt) = {.step = pvt_step, .lookback = none, .state_bytes = bytes};

/* d * V, averaged. */
enum { EFI_AVERAGE = HY_LANES, EFI_END = EFI_AVERAGE + EMA_DOUBLES };
static size_t efi_last(const double *p) { return p_count(p, 0); }
static size_t efi_bytes(const double *p) { return (void)p, EFI_END * sizeof(double); }
static size_t efi_stable(const double *p, double tol) {
  return ema_stable(2.0 / (p[0] + 1.0), tol);
}
static void efi_step(const hy__ind_step *s) {
  const ema_rule rule = {1, s->p[0], 2.0 / (s->p[0] + 1.0)};
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes previous = v_load(state);
    ema average = ema_load(state + EFI_AVERAGE);
    for (size_t t = 0; t < s->n; t++) {
      const lanes close = v_load(s->in[0] + t * HY_LANES + g);
      const lanes force = (close - previous) * v_load(s->in[1] + t * HY_LANES + g);
      mask ok = v_ok(force);
      previous = v_sel(ok, close, previous);
      const lanes e = ema_push(&average, rule, force, ok, &ok);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(e)));
    }
    v_store(state, previous);
    ema_save(state + EFI_AVERAGE, average);
  }
}
HY_IND_CODE(efi) = {
    .step = efi_step, .lookback = efi_last, .state_bytes = efi_bytes, .stable = efi_stable};

/* Sums of TP*V and of V; with a clock as fifth input they begin anew on each local day, or with
 * each session. A bar that closes at midnight belongs to the day that ends. */
typedef enum anchor { FROM_THE_START, BY_DAY, BY_SESSION } anchor;
enum { PAID = 0, TRADED = HY_LANES, DAY = 2 * HY_LANES, VWAP_END = 3 * HY_LANES };
static size_t vwap_bytes(const double *p) { return (void)p, VWAP_END * sizeof(double); }

HY_INLINE void vwap(const hy__ind_step *s, anchor anew) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes paid = v_load(state + PAID), traded = v_load(state + TRADED), day = v_load(state + DAY);
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes sum = v_load(s->in[0] + at) + v_load(s->in[1] + at) + v_load(s->in[2] + at);
      const lanes volume = v_load(s->in[3] + at);
      lanes flow = sum / v_set(3.0) * volume;
      if (anew != FROM_THE_START) {
        const lanes clock = v_load(s->in[4] + at), today = anew == BY_DAY ? v_day(clock) : clock;
        flow += today - today;
        const mask fresh = m_and(v_ok(flow), m_or(v_lt(today, day), v_lt(day, today)));
        paid = v_sel(fresh, v_zero(), paid);
        traded = v_sel(fresh, v_zero(), traded);
        day = v_sel(fresh, today, day);
      }
      const mask ok = v_ok(flow);
      paid = v_sel(ok, paid + flow, paid);
      traded = v_sel(ok, traded + volume, traded);
      v_store(s->out[0] + at, v_keep(ok, v_fin(v_ratio(paid, traded, v_missing()))));
    }
    v_store(state + PAID, paid);
    v_store(state + TRADED, traded);
    v_store(state + DAY, day);
  }
}

static void vwap_cum_step(const hy__ind_step *s) { vwap(s, FROM_THE_START); }
HY_IND_CODE(vwap_cum) = {.step = vwap_cum_step, .lookback = none, .state_bytes = vwap_bytes};

static void vwap_day_step(const hy__ind_step *s) { vwap(s, BY_DAY); }
HY_IND_CODE(vwap_day) = {.step = vwap_day_step, .lookback = none, .state_bytes = vwap_bytes};

static void vwap_session_step(const hy__ind_step *s) { vwap(s, BY_SESSION); }
HY_IND_CODE(vwap_session) = {
    .step = vwap_session_step, .lookback = none, .state_bytes = vwap_bytes};
