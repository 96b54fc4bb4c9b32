/* SPDX-License-Identifier: Apache-2.0
 * Products of bytes: every row of kernel.inc that this machine can run against plain loops, bit for
 * bit, at sizes around the tiles and between guard pages, with taps and with a column of ones; and
 * the loops from floats to bytes and back. */
#include "kernel/rows.h"

#include <math.h>

typedef struct shape {
  size_t m, n, n_taps, each;
} shape;

static const size_t ms[] = {1, 2, 3, 4, 5, 7, 12, 13, 29};
static const size_t ns[] = {1, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 70};
static const size_t eaches[] = {0, 1, 2, 3, 4, 5, 7, 33, 130};

/* Extremes oftener than not, where a saturating instruction would show. */
static uint8_t byte_of(hy__random *r) {
  const double u = hy__random_uniform(r);
  return u < 0.3 ? 255 : u < 0.5 ? 128 : u < 0.6 ? 127 : (uint8_t)(u * 7919.0);
}

static void check_product(const hy__integer *kernel, shape s, uint64_t seed) {
  hy__random r;
  hy__random_init(&r, seed, 3);
  const bool at_end = seed & 1, transposed = seed >> 1 & 1;
  const size_t k = s.n_taps * s.each;
  hy__integer_source source = {.n_taps = s.n_taps,
                               .each = s.each,
                               .n = s.n,
                               .k_stride = transposed ? 1 : (ptrdiff_t)s.n,
                               .n_stride = transposed ? (ptrdiff_t)k : 1,
                               .flip = (uint8_t)(seed >> 2 & 1 ? 128 : 0),
                               .ones = seed % 3 == 0};
  source.tap_stride = (ptrdiff_t)s.each * source.k_stride;
  const size_t columns = s.n + source.ones, ldc = columns + seed % 4;
  const size_t padded = (s.each + kernel->group - 1) / kernel->group * kernel->group;
  const size_t step = padded + seed % 5, left_n = (s.m - 1) * step + s.n_taps * padded;
  size_t packed_bytes, taps[4];
  for (size_t t = 0; t < s.n_taps; t++) taps[t] = (s.n_taps - 1 - t) * padded;
  assert_true(hy__integer_packed_bytes(kernel, &source, &packed_bytes));
  guard gb = guard_make(k * s.n, at_end), gl = guard_make(left_n * kernel->element, at_end),
        gp = guard_make(packed_bytes, at_end), gi = guard_make(columns * 4, at_end),
        gc = guard_make(((s.m - 1) * ldc + columns) * 4, at_end), ga = guard_make(left_n, at_end);
  for (size_t i = 0; i < k * s.n; i++) gb.data[i] = byte_of(&r);
  for (size_t i = 0; i < left_n; i++) ga.data[i] = byte_of(&r);
  const uint8_t flip = (uint8_t)(seed >> 3 & 1 ? 128 : 0);
  kernel->left(ga.data, left_n, flip, gl.data);
  source.b = gb.data;
  hy__integer_pack(kernel, &source, gp.data);
  int32_t *c = (int32_t *)(void *)gc.data, *init = (int32_t *)(void *)gi.data;
  for (size_t j = 0; j < columns; j++) init[j] = (int32_t)(hy__random_uniform(&r) * 4e9 - 2e9);
  for (size_t i = 0; i < gc.bytes / 4; i++) c[i] = 77;
  const hy__integer_product call = {.left = gl.data,
                                    .step = step,
                                    .taps = taps,
                                    .n_taps = s.n_taps,
                                    .each = s.each,
                                    .packed = gp.data,
                                    .init = seed % 5 ? init : NULL,
                                    .c = c,
                                    .ldc = ldc,
                                    .m = s.m,
                                    .n = columns};
  kernel->run(&call);
  for (size_t i = 0; i < s.m; i++) {
    for (size_t j = 0; j < columns; j++) {
      uint32_t sum = call.init ? (uint32_t)init[j] : 0, column = 0;
      for (size_t t = 0; t < s.n_taps; t++)
        for (size_t p = 0; p < s.each; p++) {
          const size_t at =
              j < s.n ? (t * s.each + p) * (transposed ? 1 : s.n) + j * (transposed ? k : 1) : 0;
          const int32_t b = j < s.n ? (int8_t)(gb.data[at] ^ source.flip) : 1;
          sum += (uint32_t)((int32_t)(ga.data[i * step + taps[t] + p] ^ flip) * b);
          column += (uint32_t)b;
        }
      if (c[i * ldc + j] != (int32_t)sum)
        fail_msg("m %zu n %zu taps %zu each %zu: [%zu, %zu]", s.m, s.n, s.n_taps, s.each, i, j);
      assert_int_equal(hy__integer_sums(gp.data)[j], (int32_t)column);
    }
    for (size_t j = columns; j < ldc && i * ldc + j < gc.bytes / 4; j++)
      assert_int_equal(c[i * ldc + j], 77);
  }
  guard_free(&gb), guard_free(&gl), guard_free(&gp), guard_free(&gi), guard_free(&gc);
  guard_free(&ga);
}

static float value_of(hy__random *r, size_t i) {
  static const float special[] = {0.0f,     -0.0f,     0.5f, 1.5f,   -2.5f,  1e30f, -1e30f,
                                  INFINITY, -INFINITY, NAN,  1e-42f, 127.5f, 254.5f};
  return i % 3 == 0 ? special[(size_t)(hy__random_uniform(r) * (double)HY_COUNT(special))]
                    : uniform(r, -300, 300);
}

static int32_t bounded(float v, const hy__integer_end *e) {
  const double y = rint((double)v) + e->zero;
  if (v != v || y < e->least) return e->least;
  return y > e->least + 255 ? e->least + 255 : (int32_t)y;
}

static void check_loops(const hy__integer *kernel, size_t n, uint64_t seed) {
  hy__random r;
  hy__random_init(&r, seed, 4);
  const bool at_end = seed & 1;
  guard gx = guard_make(n * 4, at_end), gy = guard_make(n, at_end), gf = guard_make(n * 4, at_end),
        gs = guard_make(n * 4, at_end), go = guard_make(n * 4, at_end);
  float *x = (float *)(void *)gx.data, *factor = (float *)(void *)gf.data,
        *out = (float *)(void *)go.data, range[2], low = 0, high = 0;
  int32_t *sums = (int32_t *)(void *)gs.data;
  const float scale = uniform(&r, 0.1, 3);
  for (size_t i = 0; i < n; i++) {
    x[i] = value_of(&r, i);
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    factor[i] = uniform(&r, 1e-3, 0.02);
    sums[i] = (int32_t)uniform(&r, -60000, 60000);
  }
  kernel->extremes(x, n, range);
  assert_true(range[0] == low && range[1] == high);
  hy__integer_end e = {.factor = &scale, .least = seed & 2 ? -128 : 0};
  e.zero = e.least + (int32_t)(seed * 37 % 256);
  kernel->quantise(x, n, &e, gy.data);
  for (size_t i = 0; i < n; i++) assert_int_equal(gy.data[i], (uint8_t)bounded(x[i] / scale, &e));
  kernel->dequantise(gy.data, n, &e, out);
  for (size_t i = 0; i < n; i++) {
    const int32_t q = e.least ? (int8_t)gy.data[i] : gy.data[i];
    assert_true(out[i] == (float)(q - e.zero) * scale);
  }
  int32_t *changed = (int32_t *)(void *)go.data;
  for (size_t i = 0; i < n; i++) changed[i] = sums[i];
  kernel->subtract(changed, n, seed & 1 ? sums : NULL, 70001);
  for (size_t i = 0; i < n; i++) {
    const uint32_t by = seed & 1 ? (uint32_t)sums[i] : 1u;
    assert_int_equal(changed[i], (int32_t)((uint32_t)sums[i] - by * 70001u));
  }
  e.factor = factor;
  e.factor_step = seed >> 2 & 1;
  e.bias = seed >> 3 & 1 ? factor : NULL;
  kernel->to_bytes(sums, n, &e, gy.data);
  kernel->to_floats(sums, n, &e, out);
  for (size_t i = 0; i < n; i++) {
    const float v = (float)sums[i] * factor[i * e.factor_step];
    assert_int_equal(gy.data[i], (uint8_t)bounded(v, &e));
    assert_true(out[i] == (e.bias ? v + factor[i] : v));
  }
  guard_free(&gx), guard_free(&gy), guard_free(&gf), guard_free(&gs), guard_free(&go);
}

static void check_turn(const hy__integer *kernel, size_t high, size_t wide, bool at_end) {
  const hy__integer_turn turn = {high, wide, wide + 3, high + 5};
  const size_t n = (high - 1) * turn.ld + wide, to_n = (wide - 1) * turn.to_ld + high;
  guard gx = guard_make(n * 4, at_end), gy = guard_make(to_n * 4, at_end);
  for (size_t i = 0; i < n * 4; i++) gx.data[i] = (uint8_t)(i * 7 + i / 256);
  memset(gy.data, 0, to_n * 4);
  const uint32_t *x = (const uint32_t *)(void *)gx.data, *y = (const uint32_t *)(void *)gy.data;
  kernel->turn_words(&turn, x, (uint32_t *)(void *)gy.data);
  for (size_t j = 0; j < wide; j++)
    for (size_t i = 0; i < turn.to_ld && j * turn.to_ld + i < to_n; i++)
      assert_int_equal(y[j * turn.to_ld + i], i < high ? x[i * turn.ld + j] : 0);
  guard bx = guard_make(n, at_end), by = guard_make(to_n, at_end);
  memcpy(bx.data, gx.data, n);
  memset(by.data, 0, to_n);
  kernel->turn_bytes(&turn, bx.data, by.data);
  for (size_t j = 0; j < wide; j++)
    for (size_t i = 0; i < turn.to_ld && j * turn.to_ld + i < to_n; i++)
      assert_int_equal(by.data[j * turn.to_ld + i], i < high ? bx.data[i * turn.ld + j] : 0);
  guard_free(&gx), guard_free(&gy), guard_free(&bx), guard_free(&by);
}

static void each_row(void (*check)(const hy__integer *kernel)) {
  const rows here = rows_here("integer");
  for (size_t i = 0; i < here.n; ++i) check(here.row[i]->ops);
}

static void products(const hy__integer *kernel) {
  uint64_t seed = 1;
  for (size_t m = 0; m < HY_COUNT(ms); ++m)
    for (size_t n = 0; n < HY_COUNT(ns); ++n)
      for (size_t e = 0; e < HY_COUNT(eaches); ++e, ++seed)
        check_product(kernel, (shape){ms[m], ns[n], 1 + seed % 3, eaches[e]}, seed);
  check_product(kernel, (shape){800, 40, 1, 600}, 7); /* more than a block of rows */
}

static void loops(const hy__integer *kernel) {
  for (size_t n = 1; n < 131; ++n) check_loops(kernel, n, n);
  for (size_t n = 1; n < 36; ++n) check_turn(kernel, n, 1 + n * 7 % 29, n & 1);
}

static void test_products(void **state) {
  (void)state;
  each_row(products);
}

static void test_loops(void **state) {
  (void)state;
  each_row(loops);
}

/* What does not fit into memory is refused. */
static void test_overflow(void **state) {
  (void)state;
  hy__kernels kernels;
  hy__kernels_for(0, &kernels);
  size_t bytes;
  const hy__integer_source wide = {.n_taps = 1, .each = 4, .n = SIZE_MAX - 1};
  const hy__integer_source deep = {.n_taps = SIZE_MAX / 8, .each = 64, .n = 64};
  assert_false(hy__integer_packed_bytes(kernels.integer, &wide, &bytes));
  assert_false(hy__integer_packed_bytes(kernels.integer, &deep, &bytes));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_products), cmocka_unit_test(test_loops),
                                     cmocka_unit_test(test_overflow)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
