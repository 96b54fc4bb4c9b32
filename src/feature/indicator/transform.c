/* SPDX-License-Identifier: Apache-2.0
 * Functions of a single value beyond those of arith.c: angles, hyperbolics, rounding, and the
 * running sum. What is not finite is missing. */
#include "feature/lane/lane.h"

/* A loop over all cells around the base room's function, which the compiler vectorises whole; then
 * another for what is not finite. */
#define TRANSFORM(symbol)                                                                          \
  static void symbol##_step(const hy__ind_step *s) {                                               \
    EACH_BLOCK(s, at) {                                                                            \
      const double *const x = s->in[0] + at;                                                       \
      double *restrict out = s->out[0] + at;                                                       \
      for (size_t i = 0; i < s->n * HY_LANES; i++) out[i] = hy__##symbol(x[i]);                    \
      for (size_t i = 0; i < s->n * HY_LANES; i += LANE_WIDTH)                                     \
        v_store(out + i, v_fin(v_load(out + i)));                                                  \
    }                                                                                              \
  }                                                                                                \
  HY_IND_CODE(symbol) = {.step = symbol##_step}

TRANSFORM(sin);
TRANSFORM(cos);
TRANSFORM(tan);
TRANSFORM(asin);
TRANSFORM(acos);
TRANSFORM(atan);
TRANSFORM(sinh);
TRANSFORM(cosh);
TRANSFORM(tanh);
TRANSFORM(log10);

/* Adding and subtracting 2^52 rounds what is below it; from there on all doubles are whole. */
HY_INLINE lanes whole_below(lanes x) {
  const lanes magic = v_set(0x1p52), a = v_abs(x), size = (a + magic) - magic;
  const lanes near = v_sel(v_lt(x, v_zero()), v_zero() - size, size);
  const lanes below = v_sel(v_lt(x, near), near - v_set(1.0), near);
  return v_sel(v_lt(a, magic), below, x);
}
HY_INLINE void floor_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = whole_below(v_load(in[0]));
}
static void floor_step(const hy__ind_step *s) { cells_map(s, 1, floor_row); }
HY_IND_CODE(floor) = {.step = floor_step};

HY_INLINE void ceil_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = v_zero() - whole_below(v_zero() - v_load(in[0]));
}
static void ceil_step(const hy__ind_step *s) { cells_map(s, 1, ceil_row); }
HY_IND_CODE(ceil) = {.step = ceil_step};

/* A value that is missing is passed over. */
static size_t none(const double *p) { return (void)p, 0; }
static size_t bytes(const double *p) { return (void)p, HY_LANES * sizeof(double); }
static void cumsum_step(const hy__ind_step *s) {
  EACH_GROUP(s, g) {
    double *const state = (double *)s->state + g;
    lanes total = v_load(state);
    for (size_t t = 0; t < s->n; t++) {
      const lanes x = v_load(s->in[0] + t * HY_LANES + g);
      const mask ok = v_ok(x);
      total = v_sel(ok, total + x, total);
      v_store(s->out[0] + t * HY_LANES + g, v_keep(ok, v_fin(total)));
    }
    v_store(state, total);
  }
}
HY_IND_CODE(cumsum) = {.step = cumsum_step, .lookback = none, .state_bytes = bytes};
