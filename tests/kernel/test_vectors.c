/* SPDX-License-Identifier: Apache-2.0
 * Rows against vectors: every row of kernel.inc that this machine can run against doubles,
 * between guard pages, and the same bits at each level. */
#include "kernel/rows.h"

#include <math.h>

#include "kernel/control_word.h"

enum { BLOCK = HY__VECTORS_BLOCK };

static void check_one(const hy__kernel_row *row, size_t n, size_t features, float *first) {
  const hy__vectors_f32 *ops = row->ops;
  const size_t n_blocks = (n + BLOCK - 1) / BLOCK;
  hy__random r;
  hy__random_init(&r, 5, n * 1000 + features);
  guard gx = guard_make(features * 4, 0), gv = guard_make(n * features * 4, 1);
  guard gp = guard_make(n_blocks * BLOCK * features * 4, 0),
        gy = guard_make(n_blocks * BLOCK * 4, 1);
  float *x = (float *)gx.data, *v = (float *)gv.data, *y = (float *)gy.data;
  for (size_t i = 0; i < features; ++i) x[i] = (float)(hy__random_uniform(&r) * 4 - 2);
  for (size_t i = 0; i < n * features; ++i) v[i] = (float)(hy__random_uniform(&r) * 4 - 2);
  hy__vectors_pack(v, n, features, (float *)gp.data);
  for (int far = 0; far < 2; ++far) {
    const uint64_t before = control_word();
    (far ? ops->distance : ops->product)(x, features, (const float *)gp.data, n_blocks, y);
    assert_true(control_word() == before);
    for (size_t i = 0; i < n; ++i) {
      double want = 0, scale = 0;
      for (size_t k = 0; k < features; ++k) {
        const double a = (double)x[k], b = (double)v[i * features + k];
        const double term = far ? (a - b) * (a - b) : a * b;
        want += term;
        scale += fabs(term);
      }
      const double bound = row->tolerance * 0x1p-24 * scale * sqrt((double)features + 1) + 1e-30;
      if (!(fabs((double)y[i] - want) <= bound))
        fail_msg("%s: %zu of %zu x %zu is %.9g, exact %.9g", row->isa, i, n, features, (double)y[i],
                 want);
      if (*row->isa == 's') first[(size_t)far * n + i] = y[i];
      assert_true(first[(size_t)far * n + i] == y[i]);
    }
  }
  guard_free(&gx);
  guard_free(&gv);
  guard_free(&gp);
  guard_free(&gy);
}

/* Forms against long double, scaling against floats; both with the same bits at each level. */
static void check_rows(const hy__kernel_row *row, size_t n, size_t features, double *first) {
  enum { FORMS = 3 };
  const hy__vectors_f32 *ops = row->ops;
  hy__random r;
  hy__random_init(&r, 6, n * 1000 + features);
  guard gx = guard_make(n * features * 4, 0), gc = guard_make(FORMS * features * 4, 0);
  guard gy = guard_make(n * FORMS * 8, 0), gz = guard_make(n * features * 4, 1);
  float *x = (float *)gx.data, *c = (float *)gc.data, *z = (float *)gz.data;
  double *y = (double *)gy.data;
  const float start[FORMS] = {0.5f, -2.0f, 0.0f};
  for (size_t i = 0; i < n * features; ++i) x[i] = (float)(hy__random_uniform(&r) * 4 - 2);
  for (size_t i = 0; i < FORMS * features; ++i) c[i] = (float)(hy__random_uniform(&r) * 4 - 2);
  const hy__forms_call forms = {x, c, start, n, features, FORMS, FORMS, y};
  ops->forms(&forms);
  for (size_t i = 0; i < n * FORMS; ++i) {
    const float *a = x + i / FORMS * features, *b = c + i % FORMS * features;
    long double want = (long double)start[i % FORMS], size = fabsl(want);
    for (size_t k = 0; k < features; ++k) {
      want += (long double)a[k] * (long double)b[k];
      size += fabsl((long double)a[k] * (long double)b[k]);
    }
    const long double bound = 0x1p-52L * size * (long double)(features + 8);
    if (!(fabsl((long double)y[i] - want) <= bound))
      fail_msg("%s: form %zu of %zu features is %.17g", row->isa, i, features, y[i]);
    if (*row->isa == 's') first[i] = y[i];
    assert_true(first[i] == y[i]);
  }
  const hy__scale_call scale = {x, c, c + features, n, features, z};
  ops->scale(&scale);
  for (size_t i = 0; i < n * features; ++i)
    assert_true(z[i] == (x[i] - c[i % features]) * c[features + i % features]);
  guard_free(&gx);
  guard_free(&gc);
  guard_free(&gy);
  guard_free(&gz);
}

static void every_row(void **state) {
  (void)state;
  static double forms[3 * 130];
  static const size_t sizes[] = {1, 2, 63, 64, 65, 130}, widths[] = {1, 2, 7, 20, 65};
  static float first[2 * 130];
  const rows here = rows_here("vectors_f32");
  for (size_t s = 0; s < HY_COUNT(sizes); ++s)
    for (size_t w = 0; w < HY_COUNT(widths); ++w)
      for (size_t i = here.n; i-- > 0;) { /* the baseline stands last */
        check_one(here.row[i], sizes[s], widths[w], first);
        check_rows(here.row[i], sizes[s], widths[w], forms);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_row)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
