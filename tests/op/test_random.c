/* SPDX-License-Identifier: Apache-2.0
 * Random operators: how their numbers are spread, that a seed and a name give the same ones again,
 * and another seed or name others. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "op/one_op.h"

enum { N = 20000, CLASSES = 3 };

/* The node's numbers, in memory that the next draw takes over. */
static const float *draw(const char *op, const char *name, float seed) {
  static float kept[N];
  const int64_t dims[1] = {N};
  one_op o;
  one_op_begin(&o, "", op, 22);
  o.node.name = name;
  one_op_ints(&o, "shape", dims, 1);
  one_op_float(&o, "seed", seed);
  one_op_float(&o, op[6] == 'N' ? "mean" : "low", 3.0f);
  one_op_float(&o, op[6] == 'N' ? "scale" : "high", 5.0f);
  assert_int_equal(one_op_run(&o, 1, 1), HY_OK);
  memcpy(kept, o.out[0].data, sizeof kept);
  one_op_end(&o);
  return kept;
}

static void moments(const float *x, double *mean, double *deviation) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < N; i++) sum += (double)x[i];
  *mean = sum / N;
  for (size_t i = 0; i < N; i++) squares += ((double)x[i] - *mean) * ((double)x[i] - *mean);
  *deviation = sqrt(squares / N);
}

static void spread(void **state) {
  (void)state;
  double mean, deviation;
  moments(draw("RandomNormal", "a", 1.0f), &mean, &deviation);
  assert_true(fabs(mean - 3.0) < 0.15 && fabs(deviation - 5.0) < 0.15);
  const float *x = draw("RandomUniform", "a", 1.0f);
  moments(x, &mean, &deviation);
  assert_true(fabs(mean - 4.0) < 0.02 && fabs(deviation - 2.0 / sqrt(12.0)) < 0.02);
  for (size_t i = 0; i < N; i++) assert_true(x[i] >= 3.0f && x[i] <= 5.0f);
}

static void the_same_again(void **state) {
  (void)state;
  static float first[N];
  memcpy(first, draw("RandomNormal", "a", 1.0f), sizeof first);
  assert_memory_equal(first, draw("RandomNormal", "a", 1.0f), sizeof first);
  assert_memory_not_equal(first, draw("RandomNormal", "a", 2.0f), sizeof first);
  assert_memory_not_equal(first, draw("RandomNormal", "b", 1.0f), sizeof first);
}

static void shares(void **state) {
  (void)state;
  const int64_t rows[1] = {N}, table[2] = {1, CLASSES};
  const double wanted[CLASSES] = {0.2, 0.5, 0.3};
  size_t count[CLASSES] = {0}, ones = 0;
  one_op o;
  one_op_begin(&o, "", "Bernoulli", 22);
  float *p = one_op_in(&o, HY_F32, 1, rows, false);
  for (size_t i = 0; i < N; i++) p[i] = 0.3f;
  assert_int_equal(one_op_run(&o, 1, 1), HY_OK);
  for (size_t i = 0; i < N; i++) ones += ((const float *)o.out[0].data)[i] == 1.0f;
  assert_true(fabs((double)ones / N - 0.3) < 0.02);
  one_op_end(&o);
  one_op_begin(&o, "", "Multinomial", 22);
  p = one_op_in(&o, HY_F32, 2, table, false);
  for (size_t k = 0; k < CLASSES; k++) p[k] = (float)log(7.0 * wanted[k]); /* up to a factor */
  one_op_int(&o, "sample_size", N);
  assert_int_equal(one_op_run(&o, 1, 1), HY_OK);
  for (size_t i = 0; i < N; i++) count[((const int32_t *)o.out[0].data)[i]]++;
  for (size_t k = 0; k < CLASSES; k++) assert_true(fabs((double)count[k] / N - wanted[k]) < 0.02);
  one_op_end(&o);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(spread), cmocka_unit_test(the_same_again),
                                     cmocka_unit_test(shares)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
