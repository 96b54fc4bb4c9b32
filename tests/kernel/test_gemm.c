/* SPDX-License-Identifier: Apache-2.0
 * Matrix products: every row of kernel.inc that this machine can run against doubles, at sizes
 * around the tiles, between guard pages; and the bits of a row do not depend on its batch. */
#include "kernel/rows.h"

#include <math.h>

#include "kernel/control_word.h"

typedef struct shape {
  size_t m, n, k;
} shape;

static const size_t ms[] = {1, 2, 3, 4, 5, 6, 7, 11, 13, 14, 15, 29, 61};
static const size_t ns[] = {1, 3, 4, 5, 8, 9, 15, 16, 17, 31, 32, 33, 63, 70, 130};
static const size_t ks[] = {0, 1, 2, 7, 33, 130};

static double reference_act(double x, hy__act act) {
  switch (act) {
  case HY__ACT_RELU: return x > 0 ? x : 0;
  case HY__ACT_SIGMOID: return 1 / (1 + exp(-x));
  case HY__ACT_TANH: return tanh(x);
  default: return x;
  }
}

/* One row over b rounded to bfloat16: in pairs the bits of the floats. `call` is of one row. */
static void check_pairs(const hy__gemm_f32 *gemm, const hy__gemm_source *source, float *b,
                        hy__gemm_f32_call call) {
  size_t packed_n, pairs_n;
  if (source->n <= HY__GEMM_NARROW) return;
  hy__bf16_round(b, source->k * source->n);
  assert_true(hy__gemm_f32_packed_n(gemm, source->k, source->n, &packed_n));
  assert_true(hy__gemm_f32_pairs_n(gemm, source->k, source->n, &pairs_n));
  guard floats = guard_make(packed_n * 4, true), pairs = guard_make(pairs_n * 4, true),
        want = guard_make(source->n * 4, true), got = guard_make(source->n * 4, true);
  hy__gemm_f32_pack(gemm, source, (float *)floats.data);
  hy__gemm_f32_pack_pairs(gemm, source, (uint32_t *)(void *)pairs.data);
  call.packed = (float *)floats.data;
  call.c = (float *)want.data;
  gemm->run(&call);
  call.packed = (float *)pairs.data;
  call.pairs = true;
  call.c = (float *)got.data;
  gemm->run(&call);
  assert_memory_equal(got.data, want.data, source->n * 4);
  guard_free(&floats), guard_free(&pairs), guard_free(&want), guard_free(&got);
}

/* One shape: b packed transposed or not, init none, a row or a matrix, by the seed. */
static void check_f32(const hy__gemm_f32 *gemm, double tolerance, shape s, uint64_t seed) {
  hy__random r;
  hy__random_init(&r, seed, 1);
  bool at_end = seed & 1, transposed = seed >> 1 & 1;
  int init_kind = (int)(seed % 3);
  size_t packed_n;
  assert_true(hy__gemm_f32_packed_n(gemm, s.k, s.n, &packed_n));
  size_t lda = s.k + seed % 5, ldc = s.n + seed % 4;
  size_t a_n = s.m ? (s.m - 1) * lda + s.k : 0, c_n = (s.m - 1) * ldc + s.n;
  size_t init_n = init_kind == 2 ? c_n : s.n;
  guard ga = guard_make(a_n * 4, at_end), gb = guard_make(s.k * s.n * 4, at_end),
        gp = guard_make(packed_n * 4, at_end), gi = guard_make(init_n * 4, at_end),
        gc = guard_make(c_n * 4, at_end);
  float *a = (float *)ga.data, *b = (float *)gb.data, *init = (float *)gi.data,
        *c = (float *)gc.data;
  fill_uniform(&r, a, a_n, -1, 1);
  fill_uniform(&r, b, s.k * s.n, -1, 1);
  fill_uniform(&r, init, init_n, -1, 1);
  hy__gemm_source source = {.b = b,
                            .k_stride = transposed ? 1 : (ptrdiff_t)s.n,
                            .n_stride = transposed ? (ptrdiff_t)s.k : 1,
                            .k = s.k,
                            .n = s.n,
                            .alpha = 1.0f};
  hy__gemm_f32_pack(gemm, &source, (float *)gp.data);
  hy__gemm_f32_call call = {.a = a,
                            .lda = lda,
                            .packed = (float *)gp.data,
                            .init = init_kind ? init : NULL,
                            .init_ld = init_kind == 2 ? ldc : 0,
                            .c = c,
                            .ldc = ldc,
                            .m = s.m,
                            .n = s.n,
                            .k = s.k,
                            .act = (hy__act)(seed % 4)};
  for (size_t i = 0; i < c_n; ++i) c[i] = 77.0f;
  gemm->run(&call);
  double worst = 0;
  for (size_t i = 0; i < s.m; ++i) {
    for (size_t j = 0; j < s.n; ++j) {
      double sum = init_kind ? (double)init[i * call.init_ld + j] : 0, size = fabs(sum);
      for (size_t k = 0; k < s.k; ++k) {
        double p = (double)a[i * lda + k] *
                   (double)b[(ptrdiff_t)k * source.k_stride + (ptrdiff_t)j * source.n_stride];
        sum += p;
        size += fabs(p);
      }
      double unit = 0x1p-24 * (size * sqrt((double)s.k + 1) + 4);
      double off = fabs((double)c[i * ldc + j] - reference_act(sum, call.act)) / unit;
      if (!(off <= worst)) worst = off;
    }
    for (size_t j = s.n; j < ldc && i * ldc + j < c_n; ++j) assert_true(c[i * ldc + j] == 77.0f);
  }
  if (!(worst <= tolerance)) fail_msg("m %zu n %zu k %zu: %g", s.m, s.n, s.k, worst);
  for (size_t i = 0; i < s.m; ++i) { /* each row alone */
    guard alone = guard_make(s.n * 4, at_end);
    hy__gemm_f32_call one = call;
    one.a = a + i * lda;
    one.init = call.init ? call.init + i * call.init_ld : NULL;
    one.c = (float *)alone.data;
    one.m = 1;
    gemm->run(&one);
    assert_memory_equal(one.c, c + i * ldc, s.n * 4);
    if (i + 1 == s.m) check_pairs(gemm, &source, b, one);
    guard_free(&alone);
  }
  guard_free(&ga), guard_free(&gb), guard_free(&gp), guard_free(&gi), guard_free(&gc);
}

static void check_f64(const hy__gemm_f64 *gemm, shape s, uint64_t seed) {
  hy__random r;
  hy__random_init(&r, seed, 2);
  guard ga = guard_make(s.m * s.k * 8, true), gb = guard_make(s.k * s.n * 8, true),
        gc = guard_make(s.m * s.n * 8, true), gi = guard_make(s.n * 8, true);
  double *a = (double *)ga.data, *b = (double *)gb.data, *c = (double *)gc.data,
         *init = (double *)gi.data;
  for (size_t i = 0; i < s.m * s.k; ++i) a[i] = hy__random_normal(&r);
  for (size_t i = 0; i < s.k * s.n; ++i) b[i] = hy__random_normal(&r);
  for (size_t i = 0; i < s.n; ++i) init[i] = hy__random_normal(&r);
  hy__gemm_f64_call call = {a, s.k, b, s.n, seed & 1 ? init : NULL, 0, c, s.n, s.m, s.n, s.k};
  gemm->run(&call);
  for (size_t i = 0; i < s.m * s.n; ++i) {
    double sum = seed & 1 ? init[i % s.n] : 0;
    for (size_t k = 0; k < s.k; ++k) sum += a[i / s.n * s.k + k] * b[k * s.n + i % s.n];
    assert_true(c[i] == sum); /* the same chain, nothing fused */
  }
  guard_free(&ga), guard_free(&gb), guard_free(&gc), guard_free(&gi);
}

/* A row at every shape. */
static void each_shape(void (*check)(const hy__kernel_row *row, shape, uint64_t),
                       const hy__kernel_row *row) {
  uint64_t seed = 1;
  for (size_t m = 0; m < HY_COUNT(ms); ++m)
    for (size_t n = 0; n < HY_COUNT(ns); ++n)
      for (size_t k = 0; k < HY_COUNT(ks); ++k) check(row, (shape){ms[m], ns[n], ks[k]}, ++seed);
}

static void row_f32(const hy__kernel_row *row, shape s, uint64_t seed) {
  check_f32(row->ops, row->tolerance, s, seed);
}
static void row_f64(const hy__kernel_row *row, shape s, uint64_t seed) {
  check_f64(row->ops, s, seed);
}

static void test_f32(void **state) {
  (void)state;
  const rows here = rows_here("gemm_f32");
  for (size_t i = 0; i < here.n; ++i) each_shape(row_f32, here.row[i]);
}

static void test_f64(void **state) {
  (void)state;
  const rows here = rows_here("gemm_f64");
  for (size_t i = 0; i < here.n; ++i) each_shape(row_f64, here.row[i]);
}

/* More rows than one block of the left-hand side, and a column map with columns of zeros. */
static void test_blocks_and_columns(void **state) {
  (void)state;
  enum { M = 700, N = 24, K = 96, COLUMNS = 40 };
  hy__kernels kernels;
  hy__kernels_for(0, &kernels);
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  for (int level = 0; level < 2; ++level) {
    hy__kernels_for(level ? cpu.mask : 0, &kernels);
    guard ga = guard_make(M * K * 4, true), gb = guard_make(N * K * 4, true),
          gc = guard_make(M * COLUMNS * 4, true), gp = guard_make(64 * K * 4, true);
    float *a = (float *)ga.data, *b = (float *)gb.data, *c = (float *)gc.data;
    hy__random r;
    hy__random_init(&r, 5, 5);
    fill_uniform(&r, a, M * K, -1, 1);
    fill_uniform(&r, b, N * K, -1, 1);
    ptrdiff_t columns[COLUMNS];
    for (int j = 0; j < COLUMNS; ++j) columns[j] = j % 5 == 4 ? -1 : (j * 7 % N) * K;
    hy__gemm_source source = {b, 1, 0, columns, K, COLUMNS, 0.5f};
    size_t packed_n;
    assert_true(hy__gemm_f32_packed_n(kernels.gemm_f32, K, COLUMNS, &packed_n));
    assert_true(packed_n <= 64 * K);
    hy__gemm_f32_pack(kernels.gemm_f32, &source, (float *)gp.data);
    hy__gemm_f32_call call = {.a = a,
                              .lda = K,
                              .packed = (float *)gp.data,
                              .c = c,
                              .ldc = COLUMNS,
                              .m = M,
                              .n = COLUMNS,
                              .k = K};
    kernels.gemm_f32->run(&call);
    for (size_t i = 0; i < M; ++i) {
      for (size_t j = 0; j < COLUMNS; ++j) {
        double sum = 0;
        for (size_t k = 0; k < K && columns[j] >= 0; ++k)
          sum += (double)a[i * K + k] * 0.5 * (double)b[columns[j] + (ptrdiff_t)k];
        assert_true(fabs((double)c[i * COLUMNS + j] - sum) < 1e-5);
      }
    }
    guard_free(&ga), guard_free(&gb), guard_free(&gc), guard_free(&gp);
  }
}

/* The caller's control word comes back, and denormals are flushed in between. */
static void test_control_word(void **state) {
  (void)state;
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  hy__kernels kernels;
  hy__kernels_for(cpu.mask, &kernels);
  float a[1] = {1e-30f}, c[1] = {7}, packed[64] __attribute__((aligned(64))) = {1e-10f};
  uint64_t before = control_word();
  hy__gemm_f32_call call = {
      .a = a, .lda = 1, .packed = packed, .c = c, .ldc = 1, .m = 1, .n = 1, .k = 1};
  kernels.gemm_f32->run(&call);
  assert_true(control_word() == before);
  assert_true(c[0] == 0.0f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_f32),
      cmocka_unit_test(test_f64),
      cmocka_unit_test(test_blocks_and_columns),
      cmocka_unit_test(test_control_word),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
