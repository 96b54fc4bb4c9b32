/* SPDX-License-Identifier: Apache-2.0
 * The base room's elementary functions over lanes. Each stays out of line: inlined into a larger
 * loop, the compiler no longer sees a loop over lanes to vectorise (three to ten times slower on
 * AVX2). */
#ifndef HY_FEATURE_LANE_REAL_H
#define HY_FEATURE_LANE_REAL_H

#include "feature/lane/lane.h"

#define LANE_REAL(name, function)                                                                  \
  static __attribute__((noinline, unused)) lanes name(lanes a) {                                   \
    double x[LANE_WIDTH];                                                                          \
    v_store(x, a);                                                                                 \
    for (int i = 0; i < LANE_WIDTH; i++) x[i] = function(x[i]);                                    \
    return v_load(x);                                                                              \
  }
LANE_REAL(v_ln, hy__ln)
LANE_REAL(v_exp, hy__exp)
LANE_REAL(v_atan, hy__atan)
LANE_REAL(v_sin, hy__sin)
LANE_REAL(v_cos, hy__cos)
#undef LANE_REAL

/* ln(a / b), missing where either is not positive. */
HY_INLINE lanes v_ln_ratio(lanes a, lanes b) {
  return v_keep(m_and(v_lt(v_zero(), a), v_lt(v_zero(), b)), v_ln(a / b));
}

#endif
