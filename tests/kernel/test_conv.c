/* SPDX-License-Identifier: Apache-2.0
 * Channels-last convolutions and pools: every row of kernel.inc that this machine can run against
 * doubles, between guard pages; and the bits of a row do not depend on the rows beside it. */
#include "kernel/rows.h"

#include <math.h>

typedef struct shape {
  size_t m, n, each, taps, stride, first; /* first: rows of b that are left out before */
} shape;

static const shape shapes[] = {
    {1, 1, 1, 1, 1, 0},    {1, 3, 2, 3, 1, 2},     {2, 16, 5, 2, 2, 0},   {3, 33, 4, 3, 1, 4},
    {4, 64, 7, 3, 3, 0},   {5, 17, 3, 4, 1, 6},    {13, 40, 6, 2, 1, 0},  {14, 32, 8, 3, 2, 8},
    {15, 31, 1, 9, 1, 3},  {29, 130, 12, 3, 1, 0}, {1, 130, 12, 3, 1, 5}, {2, 70, 3, 0, 1, 0},
    {700, 9, 20, 2, 1, 0}, {3, 65, 16, 2, 1, 16},
};

static double act_of(double x, hy__act act) {
  switch (act) {
  case HY__ACT_RELU: return x > 0 ? x : 0;
  case HY__ACT_SIGMOID: return 1 / (1 + exp(-x));
  case HY__ACT_TANH: return tanh(x);
  default: return x;
  }
}

typedef struct operands {
  guard a, packed, bias, add, c;
  float *w;      /* [n][each][all taps] as ONNX has them */
  size_t n_w, k; /* taps in w, each * n_w */
  ptrdiff_t taps[16];
} operands;

static operands operands_make(const hy__conv_f32 *conv, const shape *s, hy__random *r) {
  operands o = {0};
  const bool at_end = s->m & 1;
  const size_t lda = s->stride * (s->each + 3);
  size_t packed_n;
  o.n_w = s->taps + (s->first + s->each - 1) / s->each;
  o.k = o.n_w * s->each;
  for (size_t t = 0; t < s->taps; ++t) o.taps[t] = (ptrdiff_t)(t * (s->each + 3) * 2);
  const size_t reach = s->taps ? (size_t)o.taps[s->taps - 1] + s->each : 0;
  const size_t a_n = (s->m - 1) * lda + reach;
  assert_true(hy__conv_f32_packed_n(conv, o.k, s->n, &packed_n));
  o.a = guard_make(a_n * 4, at_end);
  o.packed = guard_make(packed_n * 4, at_end);
  o.bias = guard_make(s->n * 4, at_end);
  o.add = guard_make(s->m * s->n * 4, at_end);
  o.c = guard_make(s->m * s->n * 4, at_end);
  o.w = test_malloc((s->n * o.k + 1) * 4);
  fill_uniform(r, (float *)o.a.data, a_n, -1, 1);
  fill_uniform(r, o.w, s->n * o.k, -1, 1);
  fill_uniform(r, (float *)o.bias.data, s->n, -1, 1);
  fill_uniform(r, (float *)o.add.data, s->m * s->n, -1, 1);
  const hy__conv_source source = {o.w, s->n, s->each, o.n_w};
  hy__conv_f32_pack(conv, &source, (float *)o.packed.data);
  return o;
}

static void operands_free(operands *o) {
  guard_free(&o->a), guard_free(&o->packed), guard_free(&o->bias), guard_free(&o->add);
  guard_free(&o->c);
  test_free(o->w);
}

/* The exact element and, in *size, what its error is measured by. */
static double exact(const operands *o, const hy__conv_f32_call *call, size_t i, size_t j,
                    double *size) {
  double sum = call->bias ? (double)call->bias[j] : 0;
  *size = fabs(sum);
  for (size_t t = 0; t < call->n_taps; ++t)
    for (size_t p = 0; p < call->each; ++p) {
      const size_t row = call->first + t * call->each + p;
      const float b = o->w[(j * call->each + row % call->each) * o->n_w + row / call->each];
      const double product = (double)call->a[i * call->lda + (size_t)call->taps[t] + p] * (double)b;
      sum += product;
      *size += fabs(product);
    }
  sum = act_of(sum, call->act);
  if (!call->add) return sum;
  *size += fabs((double)call->add[i * call->add_ld + j]);
  return act_of(sum + (double)call->add[i * call->add_ld + j], call->after);
}

static void check_run(const hy__kernel_row *row, const shape *s, int variant) {
  const hy__conv_f32 *conv = row->ops;
  hy__random r;
  hy__random_init(&r, 7, (uint64_t)variant);
  operands o = operands_make(conv, s, &r);
  const hy__conv_f32_call call = {.a = (float *)o.a.data,
                                  .lda = s->stride * (s->each + 3),
                                  .taps = o.taps,
                                  .n_taps = s->taps,
                                  .each = s->each,
                                  .packed = (float *)o.packed.data,
                                  .k = o.k,
                                  .first = s->first,
                                  .bias = variant & 1 ? (float *)o.bias.data : NULL,
                                  .add = variant & 2 ? (float *)o.add.data : NULL,
                                  .add_ld = s->n,
                                  .c = (float *)o.c.data,
                                  .ldc = s->n,
                                  .m = s->m,
                                  .n = s->n,
                                  .act = (hy__act)(variant % 4),
                                  .after = (hy__act)((variant + 1) % 4)};
  conv->run(&call);
  for (size_t i = 0; i < s->m; ++i) {
    float alone[256];
    hy__conv_f32_call one = call;
    for (size_t j = 0; j < s->n; ++j) {
      double size;
      const double want = exact(&o, &call, i, j, &size);
      const double unit = 0x1p-24 * (size * sqrt((double)(s->taps * s->each) + 1) + 4);
      const double off = fabs((double)call.c[i * s->n + j] - want) / unit;
      if (!(off <= row->tolerance))
        fail_msg("%s m %zu n %zu: (%zu, %zu) is off by %g", row->isa, s->m, s->n, i, j, off);
    }
    one.a += i * call.lda;
    if (one.add) one.add += i * s->n;
    one.c = alone;
    one.m = 1;
    conv->run(&one);
    assert_memory_equal(alone, call.c + i * s->n, s->n * 4);
  }
  operands_free(&o);
}

static void check_depth(const hy__kernel_row *row, size_t m, size_t n) {
  enum { TAPS = 3 };
  const hy__conv_f32 *conv = row->ops;
  hy__random r;
  hy__random_init(&r, 8, m * 1000 + n);
  guard a = guard_make((m + 2 * TAPS) * n * 4, m & 1), w = guard_make(TAPS * n * 4, m & 1),
        c = guard_make(m * n * 4, m & 1), bias = guard_make(n * 4, true);
  float *x = (float *)a.data, *weights = (float *)w.data;
  const ptrdiff_t taps[TAPS] = {0, (ptrdiff_t)(2 * n), (ptrdiff_t)(4 * n)};
  fill_uniform(&r, x, (m + 2 * TAPS) * n, -1, 1);
  fill_uniform(&r, weights, TAPS * n, -1, 1);
  fill_uniform(&r, (float *)bias.data, n, -1, 1);
  const hy__conv_depth_call call = {x,
                                    n,
                                    taps,
                                    TAPS,
                                    weights,
                                    m % 3 ? (float *)bias.data : NULL,
                                    (float *)c.data,
                                    n,
                                    m,
                                    n,
                                    m & 1 ? HY__ACT_RELU : HY__ACT_NONE};
  conv->depth(&call);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      double sum = call.bias ? (double)call.bias[j] : 0;
      for (size_t t = 0; t < TAPS; ++t)
        sum += (double)x[i * n + (size_t)taps[t] + j] * (double)weights[t * n + j];
      assert_true(fabs((double)call.c[i * n + j] - act_of(sum, call.act)) < 1e-6);
    }
  guard_free(&a), guard_free(&w), guard_free(&c), guard_free(&bias);
}

static void check_pool(const hy__kernel_row *row, size_t n) {
  enum { TAPS = 5, M = 3 };
  const hy__conv_f32 *conv = row->ops;
  const size_t x_n = (M - 1) * 2 * n + TAPS * n;
  hy__random r;
  hy__random_init(&r, 9, n);
  guard a = guard_make(x_n * 4, n & 1), c = guard_make(M * n * 4, n & 1);
  float *x = (float *)a.data, *y = (float *)c.data;
  ptrdiff_t taps[TAPS];
  for (size_t t = 0; t < TAPS; ++t) taps[t] = (ptrdiff_t)(t * n);
  fill_uniform(&r, x, x_n, -1, 1);
  x[4 * n + n / 2] = NAN; /* of every window */
  const hy__pool_call call = {
      .x = x, .x_ld = 2 * n, .taps = taps, .n_taps = TAPS, .y = y, .m = M, .n = n, .scale = 0.5f};
  for (int sum = 0; sum < 2; ++sum) {
    if (sum)
      conv->pool_sum(&call);
    else
      conv->pool_max(&call);
    for (size_t i = 0; i < M; ++i)
      for (size_t j = 0; j < n; ++j) {
        const float *v = x + i * 2 * n + j, got = y[i * n + j];
        double most = -INFINITY, total = 0;
        for (size_t t = 0; t < TAPS; ++t)
          most = fmax(most, (double)v[t * n]), total += (double)v[t * n];
        if (j == n / 2)
          assert_true(isnan(got));
        else if (sum)
          assert_true(fabs((double)got - total * 0.5) < 1e-6);
        else
          assert_true((double)got == most);
      }
  }
  guard_free(&a), guard_free(&c);
}

static void test_run(void **state) {
  (void)state;
  const rows here = rows_here("conv_f32");
  for (size_t i = 0; i < here.n; ++i) {
    for (size_t k = 0; k < HY_COUNT(shapes); ++k)
      for (int variant = 0; variant < 8; ++variant) check_run(here.row[i], &shapes[k], variant);
    for (size_t m = 1; m < 30; ++m) /* every height of a tile, last panels of every width */
      for (size_t n = 1; n < 40; n += 3) {
        const shape s = {m, n, 2, 2, 1, 0};
        check_run(here.row[i], &s, (int)(m + n) % 8);
      }
  }
}

static void test_depth(void **state) {
  (void)state;
  const rows here = rows_here("conv_f32");
  for (size_t i = 0; i < here.n; ++i)
    for (size_t m = 1; m < 12; ++m)
      for (size_t n = 1; n < 40; n += 3) check_depth(here.row[i], m, n);
}

static void test_pools(void **state) {
  (void)state;
  const rows here = rows_here("conv_f32");
  for (size_t i = 0; i < here.n; ++i)
    for (size_t n = 1; n < 40; ++n) check_pool(here.row[i], n);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_run), cmocka_unit_test(test_depth),
                                     cmocka_unit_test(test_pools)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
