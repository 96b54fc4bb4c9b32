/* SPDX-License-Identifier: Apache-2.0
 * The loops that measure the machine do the work they are timed for: sums worked out by hand. */
#include "kernel/rows.h"

#include <math.h>

enum { FLOATS = 1024, ROUNDS = 7 };

static void check(const hy__kernel_row *row) {
  const hy__peak *peak = row->ops;
  size_t lanes = 0;
  double x[HY__PEAK_CHAINS], want = 0;
  for (size_t c = 0; c < HY__PEAK_CHAINS; c++) x[c] = (double)c;
  for (size_t r = 0; r < ROUNDS; r++)
    for (size_t c = 0; c < HY__PEAK_CHAINS; c++) x[c] = x[c] * 0.5 + 3.0;
  for (size_t c = 0; c < HY__PEAK_CHAINS; c++) want += x[c];
  double got = peak->multiply_add(ROUNDS, 0.5f, 3.0f, &lanes);
  assert_true(lanes == 4 || lanes == 8 || lanes == 16);
  assert_true(fabs(got / (double)lanes - want) < 1e-4);
  guard g = guard_make(FLOATS * sizeof(float), true);
  float *data = (float *)g.data;
  for (size_t i = 0; i < FLOATS; i++) data[i] = (float)i;
  assert_true(peak->read(data, FLOATS, 3) == 3.0 * FLOATS * (FLOATS - 1) / 2);
  guard_free(&g);
}

static void every_row(void **state) {
  (void)state;
  const rows here = rows_here("peak");
  for (size_t i = 0; i < here.n; i++) check(here.row[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_row)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
