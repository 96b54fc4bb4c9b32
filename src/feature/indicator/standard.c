/* SPDX-License-Identifier: Apache-2.0
 * Standardised values: by the mean and deviation of a window that passes over missing values, or of
 * all values so far. The own value may stand outside what it is measured by. */
#include "feature/lane/recur.h"
#include "feature/lane/skip.h"

/* ---- over a window ---- */

/* p: n, min (0: n), ddof, exclude_self. */
static size_t needed(const double *p) {
  const double most = p[0], min = p[1];
  return min >= 1.0 && min < most ? (size_t)min : (size_t)most;
}
static size_t outside(const double *p) { return p[3] != 0.0; }
static size_t least(const double *p) { return needed(p) - 1 + outside(p); }
static size_t last(const double *p) { return (size_t)p[0] - 1 + outside(p); }
static size_t rest(const double *p, double tol) { return (void)tol, (size_t)p[0] - needed(p); }

/* v is of the window, `own` of the value. */
HY_INLINE void roll_z_leaf(view v, const double *own, const double *p, lanes *out) {
  const size_t n = p_count(p, 0);
  const spread s = v_spread(v, n);
  const mask gap = v_gap(s.squares);
  const lanes x = v_load(own);
  out[0] = ((x - s.level) - s.offset) / v_std(s, p[0], p[2]);
  if (!m_rare(gap)) return;
  const tally t = tally_of(v.in[0], n);
  const lanes squares = not_negative(t.squares - t.sum * t.sum / t.count);
  const lanes z = ((x - t.level) - t.sum / t.count) / v_sqrt(squares / (t.count - v_set(p[2])));
  out[0] = v_patch(out[0], gap, z, v_ge(t.count, v_set((double)needed(p))));
}

HY_INLINE void roll_in_leaf(view v, const double *p, lanes *out) {
  roll_z_leaf(v, v.in[0], p, out);
}
HY_INLINE void roll_out_leaf(view v, const double *p, lanes *out) {
  roll_z_leaf(v, v.in[0] + HY_LANES, p, out);
}

/* Where the own value stands outside, the window is that of the row before. */
static void roll_z_step(const hy__ind_step *s) {
  hy__ind_step before = *s;
  if (!outside(s->p)) {
    tiles_map(s, (tiling){1, 2, 1, p_count(s->p, 0), BLOCK, spread_block, roll_in_leaf});
    return;
  }
  before.in[0] -= HY_LANES;
  tiles_map(&before, (tiling){1, 2, 1, p_count(s->p, 0), BLOCK, spread_block, roll_out_leaf});
}
HY_IND_CODE(roll_z) = {.step = roll_z_step, .lookback = least, .history = last, .stable = rest};

/* ---- over all values so far ---- */

enum { COUNT = 0, MEAN = HY_LANES, SQUARES = 2 * HY_LANES, END = 3 * HY_LANES };

/* p: min, ddof, exclude_self. */
static size_t expand_bytes(const double *p) { return (void)p, END * sizeof(double); }
static size_t expand_least(const double *p) { return (size_t)p[0] - 1 + (p[2] != 0.0); }

typedef struct moments {
  lanes count, mean, squares;
} moments;

/* Welford's step; lanes without a value stay as they are. */
HY_INLINE moments joined(moments m, lanes x) {
  const mask ok = v_ok(x);
  const lanes count = m.count + v_set(1.0), d = x - m.mean, mean = m.mean + d / count;
  return (moments){v_sel(ok, count, m.count), v_sel(ok, mean, m.mean),
                   v_sel(ok, m.squares + d * (x - mean), m.squares)};
}

static void expand_z_step(const hy__ind_step *s) {
  const lanes min = v_set(s->p[0]), ddof = v_set(s->p[1]);
  const bool exclude_self = s->p[2] != 0.0;
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    moments m = {v_load(state + COUNT), v_load(state + MEAN), v_load(state + SQUARES)};
    for (size_t t = 0; t < s->n; t++) {
      const size_t at = t * HY_LANES + g;
      const lanes x = v_load(s->in[0] + at);
      const moments next = joined(m, x), of = exclude_self ? m : next;
      const lanes z = (x - of.mean) / v_sqrt(of.squares / (of.count - ddof));
      v_store(s->out[0] + at, v_keep(v_ge(of.count, min), v_fin(z)));
      m = next;
    }
    v_store(state + COUNT, m.count);
    v_store(state + MEAN, m.mean);
    v_store(state + SQUARES, m.squares);
  }
}
HY_IND_CODE(expand_z) = {
    .step = expand_z_step, .lookback = expand_least, .state_bytes = expand_bytes};
