/* SPDX-License-Identifier: Apache-2.0
 * Windows that pass over missing values (pandas with min_periods): a leaf takes the way of whole
 * windows and, where one of its lanes turns out to hold a gap, goes over the rows of the window
 * once more. Which of the two a lane gets depends on its own window alone. */
#ifndef HY_FEATURE_SKIP_H
#define HY_FEATURE_SKIP_H

#include "feature/lane/comoment.h"
#include "feature/lane/fit.h"

/* The lanes whose window holds a missing value, told by a sum over all of it. */
HY_INLINE mask v_gap(lanes sum) { return m_andnot(v_ok(v_zero()), v_ok(sum)); }
HY_INLINE bool m_rare(mask m) { return __builtin_expect(m_any(m), 0); }
/* `skipped` in the lanes of `gap`, where it stands on enough values */
HY_INLINE lanes v_patch(lanes whole, mask gap, lanes skipped, mask enough) {
  return v_sel(gap, v_keep(enough, skipped), whole);
}

HY_INLINE lanes newest_known(const double *x, size_t n) {
  lanes level = v_zero();
  if (!m_any(v_gap(v_load(x)))) return v_load(x);
  for (size_t k = n; k-- > 0;) level = v_sel(v_ok(v_ago(x, k)), v_ago(x, k), level);
  return level;
}

/* Relative to the newest value that is there: so a flat window has no spread. */
typedef struct tally {
  lanes level, count, sum, squares;
} tally;

HY_INLINE tally tally_of(const double *x, size_t n) {
  tally t = {newest_known(x, n), v_zero(), v_zero(), v_zero()};
  for (size_t k = 0; k < n; k++) {
    const lanes value = v_ago(x, k), d = value - t.level;
    const mask known = v_ok(value);
    t.count = v_add_if(known, t.count, v_set(1.0));
    t.sum = v_add_if(known, t.sum, d);
    t.squares = v_add_if(known, t.squares, d * d);
  }
  return t;
}

HY_INLINE lanes tally_mean(tally t) { return t.level + t.sum / t.count; }
/* Sample variance and deviation; missing for one value. */
HY_INLINE lanes tally_var(tally t) {
  return not_negative(t.squares - t.sum * t.sum / t.count) / (t.count - v_set(1.0));
}
HY_INLINE lanes tally_std(tally t) { return v_sqrt(tally_var(t)); }

/* Places are counted back from the newest bar. */
typedef struct tally_line {
  tally y;
  lanes place, places, joint; /* sums of places, of their squares, of place times value */
} tally_line;

HY_INLINE tally_line tally_line_of(const double *x, size_t n) {
  tally_line t = {tally_of(x, n), v_zero(), v_zero(), v_zero()};
  for (size_t k = 0; k < n; k++) {
    const lanes value = v_ago(x, k), place = v_set(-(double)k);
    const mask known = v_ok(value);
    t.place = v_add_if(known, t.place, place);
    t.places = v_add_if(known, t.places, place * place);
    t.joint = v_add_if(known, t.joint, place * (value - t.y.level));
  }
  return t;
}

/* Of the pairs of which both are there. */
typedef struct tally_pair {
  lanes count, x, y, xx, yy, xy;
} tally_pair;

HY_INLINE tally_pair tally_pair_of(const double *const *in, size_t n) {
  const lanes x0 = newest_known(in[0], n), y0 = newest_known(in[1], n);
  tally_pair t = {v_zero(), v_zero(), v_zero(), v_zero(), v_zero(), v_zero()};
  for (size_t k = 0; k < n; k++) {
    const lanes dx = v_ago(in[0], k) - x0, dy = v_ago(in[1], k) - y0;
    const mask known = v_ok(dx + dy);
    t.count = v_add_if(known, t.count, v_set(1.0));
    t.x = v_add_if(known, t.x, dx);
    t.y = v_add_if(known, t.y, dy);
    t.xx = v_add_if(known, t.xx, dx * dx);
    t.yy = v_add_if(known, t.yy, dy * dy);
    t.xy = v_add_if(known, t.xy, dx * dy);
  }
  return t;
}

#endif
