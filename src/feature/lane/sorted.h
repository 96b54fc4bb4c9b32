/* SPDX-License-Identifier: Apache-2.0
 * A window that stands sorted in the state: a row that says which lanes are primed, a row of counts
 * of missing values, n rows of values, missing ones as +infinity, one of padding. */
#ifndef HY_FEATURE_SORTED_H
#define HY_FEATURE_SORTED_H

#include "feature/lane/window.h"

enum { MISSING = HY_LANES, SORTED = 2 * HY_LANES };

HY_INLINE size_t sorted_bytes(const double *p) {
  return (SORTED + (p_count(p, 0) + 1) * HY_LANES) * sizeof(double);
}

/* An element on the way through a sorted window: the one before it and it, as they were. */
typedef struct passing {
  lanes take, put, below, here;
} passing;

/* From the first element that is not below the one to take out on, the elements move down by one;
 * each place then gets the middle of its two neighbours and the value to put in. */
HY_INLINE void sorted_pass(double *at, passing *p) {
  const lanes next = v_load(at + HY_LANES);
  const lanes kept = v_sel(v_lt(p->here, p->take), p->here, next);
  v_store(at, v_min(v_max(p->below, p->put), kept));
  p->below = kept;
  p->here = next;
}

/* One pass takes `old` out and puts `value` in, all lanes at once. */
HY_INLINE void sorted_put(double *sorted, size_t n, lanes old, lanes value) {
  enum { STRIDE = 5 };
  passing p = {or_high(old), or_high(value), v_set(-__builtin_inf()), v_load(sorted)};
  double *at = sorted, *const end = sorted + n * HY_LANES;
  for (size_t i = 0; i < n / STRIDE; i++, at += STRIDE * HY_LANES) {
    sorted_pass(at, &p);
    sorted_pass(at + HY_LANES, &p);
    sorted_pass(at + 2 * HY_LANES, &p);
    sorted_pass(at + 3 * HY_LANES, &p);
    sorted_pass(at + 4 * HY_LANES, &p);
  }
  for (; at < end; at += HY_LANES) sorted_pass(at, &p);
}

HY_INLINE lanes count_missing(lanes count, lanes old, lanes value) {
  return v_add_if(v_ok(old), v_add_if(v_ok(value), count, v_set(-1.0)), v_set(1.0));
}

/* Fills the lanes of `fresh` from the n values before x; in the others nothing is taken and nothing
 * put. */
HY_INLINE void sorted_prime(const double *x, double *state, size_t n, mask fresh) {
  const lanes none = v_set(__builtin_inf());
  lanes missing = v_set((double)n);
  for (size_t i = 0; i <= n; i++) {
    double *const at = state + SORTED + i * HY_LANES;
    v_store(at, v_sel(fresh, none, v_load(at)));
  }
  for (size_t k = n; k > 0; k--) {
    const lanes value = v_keep(fresh, v_ago(x, k));
    sorted_put(state + SORTED, n, v_missing(), value);
    missing = count_missing(missing, v_missing(), value);
  }
  v_store(state + MISSING, v_sel(fresh, missing, v_load(state + MISSING)));
  v_store(state, v_set(1.0));
}

#endif
