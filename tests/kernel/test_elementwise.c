/* SPDX-License-Identifier: Apache-2.0
 * Element-wise families and rows: every row of kernel.inc that this machine can run against scalar
 * doubles: lengths 0 to 130, both ends guarded, in place, NaN, infinities, denormals. */
#include "kernel/rows.h"

#include <math.h>

#include "kernel/control_word.h"

/* The exact value of a function of float; alpha and beta as the kernel gets them. */
static double exact(hy__unary op, double x, double a, double b) {
  switch (op) {
  case HY__UNARY_NEG: return -x;
  case HY__UNARY_ABS: return fabs(x);
  case HY__UNARY_SQRT: return sqrt(x);
  case HY__UNARY_RECIPROCAL: return 1 / x;
  case HY__UNARY_FLOOR: return floor(x);
  case HY__UNARY_CEIL: return ceil(x);
  case HY__UNARY_ROUND: return nearbyint(x);
  case HY__UNARY_SIGN: return x > 0 ? 1 : x < 0 ? -1 : x;
  case HY__UNARY_RELU: return x < 0 ? 0 : x;
  case HY__UNARY_LEAKY_RELU: return x < 0 ? a * x : x;
  case HY__UNARY_CLIP: return x < a ? a : x > b ? b : x;
  case HY__UNARY_AFFINE: return (double)(float)(x * a) + b;
  case HY__UNARY_HARD_SIGMOID: return x != x ? x : fmin(fmax((double)(float)(x * a) + b, 0), 1);
  case HY__UNARY_HARD_SWISH: return x != x ? x : x * fmin(fmax(x / 6 + 0.5, 0), 1);
  case HY__UNARY_SOFTSIGN: return x / (1 + fabs(x));
  case HY__UNARY_THRESHOLDED_RELU: return x > a ? x : 0;
  case HY__UNARY_EXP: return exp(x);
  case HY__UNARY_TANH: return tanh(x);
  case HY__UNARY_SIGMOID: return 1 / (1 + exp(-x));
  case HY__UNARY_ERF: return erf(x);
  case HY__UNARY_GELU: return 0.5 * x * (1 + erf(x * sqrt(0.5)));
  case HY__UNARY_GELU_TANH:
    return 0.5 * x * (1 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
  case HY__UNARY_ELU: return x < 0 ? a * expm1(x) : x;
  case HY__UNARY_SELU: return b * (x < 0 ? a * expm1(x) : x);
  case HY__UNARY_CELU: return x < 0 ? a * expm1(x / a) : x;
  case HY__UNARY_SWISH: return x / (1 + exp(-a * x));
  case HY__UNARY_MISH: return x * tanh(x > 30 ? x : log1p(exp(x)));
  case HY__UNARY_SOFTPLUS: return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
  case HY__UNARY_LOG: return log(x);
  case HY__UNARY_SIN: return sin(x);
  default: return cos(x);
  }
}

/* Functions whose error is absolute, in units of 2^-24: a cancellation or a saturation is theirs.
 */
static bool is_absolute(hy__unary op) {
  return op == HY__UNARY_GELU || op == HY__UNARY_GELU_TANH || op == HY__UNARY_HARD_SIGMOID ||
         op == HY__UNARY_HARD_SWISH || op == HY__UNARY_AFFINE || op == HY__UNARY_SIN ||
         op == HY__UNARY_COS;
}

static const float alphas[] = {0.25f, 1.0f, 1.5f};

static double off_f32(hy__unary op, float x, float y, float a, float b) {
  double want = exact(op, (double)x, (double)a, (double)b);
  const double least = 0x1p-126 * fmax(1, fabs((double)x)); /* what may be flushed on the way */
  if (fabs(want) < least && fabs((double)y) < least) return 0;
  if (fabs((double)x) < 0x1p-126 && x != 0) { /* so may the operand */
    double flushed = exact(op, 0.0, (double)a, (double)b);
    if (fabs((double)y - flushed) <= 0x1p-24 * fabs(flushed)) return 0;
  }
  if (is_absolute(op) && isfinite(want))
    return fabs((double)y - want) / (0x1p-24 * fmax(1, fabs((double)x)));
  /* the rounding of alpha * x is a relative error of its exponential */
  if (op == HY__UNARY_SWISH) return ulp_f32(y, want) / fmax(1, fabs((double)a * (double)x));
  return ulp_f32(y, want);
}

static float input_of(hy__random *r, hy__unary op) {
  static const float special[] = {0.0f,    -0.0f, INFINITY, -INFINITY, NAN,    1e-40f,
                                  -1e-40f, 1.0f,  -1.0f,    88.0f,     -88.0f, 104.0f,
                                  -104.0f, 0.5f,  2.5f,     9.02f};
  bool periodic = op == HY__UNARY_SIN || op == HY__UNARY_COS;
  if (hy__random_below(r, 6) == 0) {
    float x = special[hy__random_below(r, HY_COUNT(special))];
    return periodic && isinf(x) ? 0.25f : x;
  }
  float x = (float)(hy__random_normal(r) * (hy__random_below(r, 2) ? 1.0 : 20.0));
  return op == HY__UNARY_SQRT || op == HY__UNARY_LOG ? fabsf(x) : x;
}

static void check_unary_f32(const hy__kernel_row *row) {
  const hy__unary_f32 *ops = row->ops;
  double worst[HY__UNARY_COUNT] = {0};
  hy__random r;
  hy__random_init(&r, 1, 1);
  for (int op = 0; op < HY__UNARY_COUNT; ++op) {
    assert_non_null(ops->fn[op]);
    for (size_t n = 0; n <= 130; ++n) {
      const float a = op == HY__UNARY_CLIP ? -0.7f : alphas[n % 3], b = 0.6f;
      guard gx = guard_make(n * 4, n & 1), gy = guard_make(n * 4, n & 1);
      float *x = (float *)gx.data, *y = (float *)gy.data;
      for (size_t i = 0; i < n; ++i) x[i] = input_of(&r, (hy__unary)op);
      uint64_t before = control_word();
      ops->fn[op](x, y, n, a, b);
      assert_true(control_word() == before);
      for (size_t i = 0; i < n; ++i) {
        double off = off_f32((hy__unary)op, x[i], y[i], a, b);
        if (!(off <= row->tolerance))
          fail_msg("%s %s(%.9g) = %.9g, exact %.9g: %g", row->isa, hy__unary_name((hy__unary)op),
                   (double)x[i], (double)y[i],
                   exact((hy__unary)op, (double)x[i], (double)a, (double)b), off);
        if (off > worst[op]) worst[op] = off;
      }
      ops->fn[op](x, x, n, a, b); /* in place */
      assert_memory_equal(x, y, n * 4);
      guard_free(&gx), guard_free(&gy);
    }
  }
}

static void check_unary_f64(const hy__kernel_row *row) {
  const hy__unary_f64 *ops = row->ops;
  hy__random r;
  hy__random_init(&r, 2, 1);
  for (int op = 0; op < HY__UNARY_COUNT; ++op) {
    for (size_t n = 0; n <= 40; ++n) {
      const double a = op == HY__UNARY_CLIP ? -0.75 : 0.5, b = 0.625;
      guard gx = guard_make(n * 8, n & 1), gy = guard_make(n * 8, n & 1);
      double *x = (double *)gx.data, *y = (double *)gy.data;
      for (size_t i = 0; i < n; ++i) x[i] = (double)input_of(&r, (hy__unary)op);
      ops->fn[op](x, y, n, a, b);
      for (size_t i = 0; i < n; ++i) {
        double v = fabs(x[i]) < 0x1p-120 ? 0 : x[i];
        double want = op == HY__UNARY_AFFINE         ? v * a + b
                      : op == HY__UNARY_HARD_SIGMOID ? (v != v ? v : fmin(fmax(v * a + b, 0), 1))
                                                     : exact((hy__unary)op, v, a, b);
        double gap = fabs(y[i] - want), size = fmax(fabs(want), is_absolute((hy__unary)op) ? 1 : 0);
        bool same = y[i] == want || (y[i] != y[i] && want != want) || fabs(x[i]) < 0x1p-120;
        bool elu = op == HY__UNARY_ELU || op == HY__UNARY_SELU || op == HY__UNARY_CELU;
        if (!same && !(gap <= (elu ? 4e-16 : row->tolerance * 0x1p-52 * size)))
          fail_msg("%s %s(%.17g) = %.17g, exact %.17g", row->isa, hy__unary_name((hy__unary)op),
                   x[i], y[i], want);
      }
      guard_free(&gx), guard_free(&gy);
    }
  }
}

static void check_softmax(const hy__rows_f32 *ops, double tolerance, size_t n, hy__random *r) {
  enum { ROWS = 3 };
  guard gx = guard_make(ROWS * n * 4, true), gy = guard_make(ROWS * n * 4, true),
        ga = guard_make(n * 4, true);
  float *x = (float *)gx.data, *y = (float *)gy.data;
  for (int log_form = 0; log_form < 2; ++log_form) {
    fill_uniform(r, x, ROWS * n, -30, 30);
    (log_form ? ops->log_softmax : ops->softmax)(x, y, ROWS, n);
    for (size_t row = 0; row < ROWS; ++row) {
      double max = -INFINITY, sum = 0;
      for (size_t i = 0; i < n; ++i) max = fmax(max, (double)x[row * n + i]);
      for (size_t i = 0; i < n; ++i) sum += exp((double)x[row * n + i] - max);
      for (size_t i = 0; i < n; ++i) {
        double v = (double)x[row * n + i] - max, want = log_form ? v - log(sum) : exp(v) / sum;
        double gap = fabs((double)y[row * n + i] - want),
               size =
                   log_form ? fabs(want) + 1 : fabs(want) * (1 + fabs(v) / 8); /* of v's rounding */
        if (!(gap <= tolerance * 0x1p-23 * size + 0x1p-126))
          fail_msg("log %d n %zu: %.9g in place of %.9g", log_form, n, (double)y[row * n + i],
                   want);
      }
      (log_form ? ops->log_softmax : ops->softmax)(x + row * n, (float *)ga.data, 1, n);
      assert_memory_equal(ga.data, y + row * n, n * 4);
    }
  }
  guard_free(&gx), guard_free(&gy), guard_free(&ga);
}

static void check_norm(const hy__rows_f32 *ops, size_t n, bool rms, hy__random *r) {
  guard gx = guard_make(n * 4, true), gy = guard_make(n * 4, true), gs = guard_make(n * 4, true),
        gb = guard_make(n * 4, true);
  float *x = (float *)gx.data, *scale = (float *)gs.data, *bias = (float *)gb.data, mean, inverse;
  const double shift = n % 3 || rms ? 0 : 1000;
  fill_uniform(r, x, n, shift - 1, shift + 1);
  fill_uniform(r, scale, n, 0.5, 2), fill_uniform(r, bias, n, -1, 1);
  hy__layer_norm_call call = {.x = x,
                              .scale = n % 2 ? scale : NULL,
                              .bias = n % 5 ? bias : NULL,
                              .y = (float *)gy.data,
                              .mean_out = &mean,
                              .inv_std_out = &inverse,
                              .rows = 1,
                              .n = n,
                              .epsilon = 1e-3f,
                              .rms = rms};
  ops->layer_norm(&call);
  double m = 0, v = 0;
  for (size_t i = 0; i < n && !rms; ++i) m += (double)x[i] / (double)n;
  for (size_t i = 0; i < n; ++i) v += ((double)x[i] - m) * ((double)x[i] - m) / (double)n;
  const double inv = 1 / sqrt(v + (double)call.epsilon);
  assert_true(fabs((double)mean - m) <= 1e-6 * (1 + fabs(m)));
  assert_true(fabs((double)inverse - inv) <= 1e-5 * inv);
  for (size_t i = 0; i < n; ++i) {
    double want = ((double)x[i] - m) * inv;
    if (call.scale) want *= (double)scale[i];
    if (call.bias) want += (double)bias[i];
    assert_true(fabs((double)call.y[i] - want) <= 1e-5 * (1 + fabs(want)));
  }
  guard_free(&gx), guard_free(&gy), guard_free(&gs), guard_free(&gb);
}

static void check_rows(const hy__kernel_row *row) {
  hy__random r;
  hy__random_init(&r, 4, 1);
  for (size_t n = 1; n <= 130; ++n) {
    check_softmax(row->ops, row->tolerance, n, &r);
    check_norm(row->ops, n, false, &r);
    check_norm(row->ops, n, true, &r);
  }
}

static void test_unary_f32(void **state) {
  (void)state;
  const rows here = rows_here("unary_f32");
  for (size_t i = 0; i < here.n; ++i) check_unary_f32(here.row[i]);
}

static void test_unary_f64(void **state) {
  (void)state;
  const rows here = rows_here("unary_f64");
  for (size_t i = 0; i < here.n; ++i) check_unary_f64(here.row[i]);
}

static void test_rows(void **state) {
  (void)state;
  const rows here = rows_here("rows_f32");
  for (size_t i = 0; i < here.n; ++i) check_rows(here.row[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_unary_f32),
      cmocka_unit_test(test_unary_f64),
      cmocka_unit_test(test_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
