/* SPDX-License-Identifier: Apache-2.0
 * What the grammar's operators stand for, and the plain functions beside them: element by element,
 * or a shift. A missing operand makes the result missing; so does a result that is not finite. */
#include "feature/indicator.h"

#include <math.h>

static inline double kept(double x) { return x - x == 0.0 ? x : (double)NAN; }
static inline double truth(double x, double y, bool is) {
  double missing = x + y; /* NaN when either is: a sum of finite values is never NaN */
  return missing == missing ? (is ? 1.0 : 0.0) : (double)NAN;
}

static inline double add_of(double x, double y) { return kept(x + y); }
static inline double sub_of(double x, double y) { return kept(x - y); }
static inline double mul_of(double x, double y) { return kept(x * y); }
static inline double gt_of(double x, double y) { return truth(x, y, x > y); }
static inline double lt_of(double x, double y) { return truth(x, y, x < y); }
static inline double ge_of(double x, double y) { return truth(x, y, x >= y); }
static inline double le_of(double x, double y) { return truth(x, y, x <= y); }
static inline double eq_of(double x, double y) { return truth(x, y, x == y); }
/* Compare and select: instruction sets differ in their own minimum of NaN and of signed zeros. */
static inline double min_of(double x, double y) {
  double least = x < y ? x : y;
  return x == x ? least : x;
}
static inline double max_of(double x, double y) {
  double most = x > y ? x : y;
  return x == x ? most : x;
}
static inline double neg_of(double x) { return -x; }
static inline double abs_of(double x) { return fabs(x); }
static inline double ln_of(double x) { return x > 0.0 ? hy__ln(x) : (double)NAN; }
static inline double exp_of(double x) { return kept(hy__exp(x)); }
static inline double sqrt_of(double x) { return x >= 0.0 ? sqrt(x) : (double)NAN; }
static inline double sign_of(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x; }

/* A row's step as a loop over all cells; HY_LANES cells per row. */
#define UNARY(symbol)                                                                              \
  static void symbol##_step(const hy__ind_step *s) {                                               \
    EACH_BLOCK(s, at) {                                                                            \
      const double *x = s->in[0] + at;                                                             \
      double *restrict out = s->out[0] + at;                                                       \
      for (size_t i = 0; i < s->n * HY_LANES; i++) out[i] = symbol##_of(x[i]);                     \
    }                                                                                              \
  }                                                                                                \
  HY_IND_CODE(symbol) = {.step = symbol##_step}

#define BINARY(symbol)                                                                             \
  static void symbol##_step(const hy__ind_step *s) {                                               \
    EACH_BLOCK(s, at) {                                                                            \
      const double *x = s->in[0] + at, *y = s->in[1] + at;                                         \
      double *restrict out = s->out[0] + at;                                                       \
      for (size_t i = 0; i < s->n * HY_LANES; i++) out[i] = symbol##_of(x[i], y[i]);               \
    }                                                                                              \
  }                                                                                                \
  HY_IND_CODE(symbol) = {.step = symbol##_step}

BINARY(add);
BINARY(sub);
BINARY(mul);
static void div_step(const hy__ind_step *s) {
  EACH_BLOCK(s, at) {
    const double *x = s->in[0] + at, *y = s->in[1] + at;
    double *restrict out = s->out[0] + at;
    for (size_t i = 0; i < s->n * HY_LANES; i++) out[i] = kept(x[i] / y[i]);
  }
}
HY_IND_CODE(div) = {.step = div_step, .quotient = true};
BINARY(gt);
BINARY(lt);
BINARY(ge);
BINARY(le);
BINARY(eq);
BINARY(min);
BINARY(max);
UNARY(neg);
UNARY(abs);
UNARY(ln);
UNARY(exp);
UNARY(sqrt);
UNARY(sign);

static void clip_step(const hy__ind_step *s) {
  double lo = s->p[0], hi = s->p[1];
  EACH_BLOCK(s, at) {
    const double *x = s->in[0] + at;
    double *restrict out = s->out[0] + at;
    for (size_t i = 0; i < s->n * HY_LANES; i++) {
      double v = x[i] < lo ? lo : x[i];
      out[i] = v > hi ? hi : v;
    }
  }
}
HY_IND_CODE(clip) = {.step = clip_step};

/* A deviation of 0 divides everything away: missing, not infinite. */
static void fixed_z_step(const hy__ind_step *s) {
  double mean = s->p[0], std = s->p[1];
  EACH_BLOCK(s, at) {
    const double *x = s->in[0] + at;
    double *restrict out = s->out[0] + at;
    for (size_t i = 0; i < s->n * HY_LANES; i++) out[i] = kept((x[i] - mean) / std);
  }
}
HY_IND_CODE(fixed_z) = {.step = fixed_z_step};

static void where_step(const hy__ind_step *s) {
  EACH_BLOCK(s, at) {
    const double *cond = s->in[0] + at, *x = s->in[1] + at, *y = s->in[2] + at;
    double *restrict out = s->out[0] + at;
    for (size_t i = 0; i < s->n * HY_LANES; i++) {
      double v = cond[i] != 0.0 ? x[i] : y[i];
      out[i] = cond[i] == cond[i] ? v : (double)NAN;
    }
  }
}
HY_IND_CODE(where) = {.step = where_step};

static size_t ref_history(const double *p) { return (size_t)p[0]; }
static void ref_step(const hy__ind_step *s) {
  const double *from = s->in[0] - (size_t)s->p[0] * HY_LANES;
  EACH_BLOCK(s, at) memcpy(s->out[0] + at, from + at, s->n * HY_LANES * sizeof(double));
}
HY_IND_CODE(ref) = {.step = ref_step, .lookback = ref_history, .history = ref_history};
