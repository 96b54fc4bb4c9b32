/* SPDX-License-Identifier: Apache-2.0
 * Indices, lengths and boxes that point outside: operators that move or sample elements refuse them
 * at the run, or at planning where they are known, with every input between guard pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <string.h>

#include <cmocka.h>

#include "op/one_op.h"

#define DIMS(...)                                                                                  \
  (const int64_t[]) { __VA_ARGS__ }

static void floats_in(one_op *o, int32_t rank, const int64_t *dims) {
  float *x = one_op_in(o, HY_F32, rank, dims, false);
  size_t n = 1;
  for (int32_t d = 0; d < rank; d++) n *= (size_t)dims[d];
  for (size_t i = 0; i < n; i++) x[i] = (float)i;
}

static void ints_in(one_op *o, size_t n, const int64_t *values, bool known) {
  const int64_t dims[1] = {(int64_t)n};
  memcpy(one_op_in(o, HY_I64, 1, dims, known), values, n * sizeof *values);
}

static void expect(one_op *o, hy_status status, const char *part) {
  assert_int_equal(one_op_run(o, 1, 1), status);
  if (!strstr(o->err.message, part)) fail_msg("'%s' lacks '%s'", o->err.message, part);
  one_op_end(o);
}

static void scatters(void **state) {
  (void)state;
  static const int64_t outside[] = {4, -5, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < HY_COUNT(outside); i++) {
    one_op o;
    one_op_begin(&o, "", "ScatterElements", 18);
    floats_in(&o, 1, DIMS(4));
    ints_in(&o, 1, &outside[i], false);
    floats_in(&o, 1, DIMS(1));
    expect(&o, HY_INVALID_ARGUMENT, "is outside [-4, 4)");
    one_op_begin(&o, "", "ScatterND", 18);
    floats_in(&o, 1, DIMS(4));
    *(int64_t *)one_op_in(&o, HY_I64, 2, DIMS(1, 1), false) = outside[i];
    floats_in(&o, 1, DIMS(1));
    expect(&o, HY_INVALID_ARGUMENT, "is outside [-4, 4)");
  }
}

static void a_cache_that_is_too_short(void **state) {
  (void)state;
  static const int64_t first[] = {3, -1, INT64_MAX};
  for (size_t i = 0; i < HY_COUNT(first); i++) {
    one_op o;
    one_op_begin(&o, "", "TensorScatter", 24);
    floats_in(&o, 3, DIMS(1, 4, 2));
    floats_in(&o, 3, DIMS(1, 2, 2));
    ints_in(&o, 1, &first[i], false);
    expect(&o, HY_INVALID_ARGUMENT, "do not fit a cache of 4");
  }
}

static void sequences(void **state) {
  (void)state;
  one_op o;
  one_op_begin(&o, "", "ReverseSequence", 10);
  floats_in(&o, 2, DIMS(3, 2));
  ints_in(&o, 2, DIMS(3, 4), false);
  expect(&o, HY_INVALID_ARGUMENT, "sequence length 4 is outside [0, 3]");
  one_op_begin(&o, "", "RotaryEmbedding", 23);
  floats_in(&o, 4, DIMS(1, 1, 1, 4));
  floats_in(&o, 2, DIMS(3, 2));
  floats_in(&o, 2, DIMS(3, 2));
  *(int64_t *)one_op_in(&o, HY_I64, 2, DIMS(1, 1), false) = 3;
  expect(&o, HY_INVALID_ARGUMENT, "position id 3 is outside [-3, 3)");
}

static void planes(void **state) {
  (void)state;
  one_op o;
  one_op_begin(&o, "", "MaxUnpool", 11);
  one_op_ints(&o, "kernel_shape", DIMS(2), 1);
  floats_in(&o, 3, DIMS(1, 1, 2));
  int64_t *at = one_op_in(&o, HY_I64, 3, DIMS(1, 1, 2), false);
  at[0] = 1;
  at[1] = 3;
  expect(&o, HY_INVALID_ARGUMENT, "index 3 is outside [0, 3)");
  one_op_begin(&o, "", "RoiAlign", 16);
  floats_in(&o, 4, DIMS(1, 1, 2, 2));
  floats_in(&o, 2, DIMS(1, 4));
  ints_in(&o, 1, DIMS(1), false);
  expect(&o, HY_INVALID_ARGUMENT, "roi 0 is of image 1 of 1");
  const float huge[2][4] = {{0, 0, 1e30f, 1e30f}, {0, 0, NAN, 1}};
  for (size_t i = 0; i < 2; i++) {
    one_op_begin(&o, "", "RoiAlign", 16);
    floats_in(&o, 4, DIMS(1, 1, 2, 2));
    memcpy(one_op_in(&o, HY_F32, 2, DIMS(1, 4), false), huge[i], sizeof huge[i]);
    ints_in(&o, 1, DIMS(0), false);
    expect(&o, HY_LIMIT, "has bins of");
  }
}

/* Wild coordinates stay inside of X: NaN, infinities and what no integer holds. */
static void a_wild_grid(void **state) {
  (void)state;
  static const char *const paddings[] = {"zeros", "border", "reflection"};
  static const char *const modes[] = {"nearest", "linear", "cubic"};
  const float wild[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 0, 1, -1};
  for (size_t i = 0; i < 9; i++) {
    one_op o;
    one_op_begin(&o, "", "GridSample", 20);
    one_op_string(&o, "padding_mode", paddings[i / 3]);
    one_op_string(&o, "mode", modes[i % 3]);
    floats_in(&o, 4, DIMS(1, 1, 3, 2));
    memcpy(one_op_in(&o, HY_F32, 4, DIMS(1, 2, 2, 2), false), wild, sizeof wild);
    if (one_op_run(&o, 1, 1) != HY_OK) fail_msg("%s", o.err.message);
    one_op_end(&o);
  }
}

static void equations(void **state) {
  (void)state;
  static const char *const bad[] = {"ij,jk", "ij->ijk",  "ij->ii",  "ij-ik", "i1->i",
                                    "ijk",   "....i->i", "ij->i,",  "",      "ij->",
                                    "ii->i", ",",        "ij->i->j"};
  for (size_t i = 0; i < HY_COUNT(bad); i++) {
    one_op o;
    one_op_begin(&o, "", "Einsum", 12);
    one_op_string(&o, "equation", bad[i]);
    floats_in(&o, 2, DIMS(2, 3));
    const hy_status status = one_op_run(&o, 1, 1);
    if ((status == HY_OK) != !strcmp(bad[i], "ij->")) fail_msg("'%s': %d", bad[i], (int)status);
    one_op_end(&o);
  }
}

static void sizes_that_are_no_sizes(void **state) {
  (void)state;
  const float scales[][2] = {{0, 1}, {-1, 1}, {NAN, 1}, {INFINITY, 1}, {1e30f, 1}};
  for (size_t i = 0; i < HY_COUNT(scales); i++) {
    one_op o;
    one_op_begin(&o, "", "Resize", 19);
    floats_in(&o, 2, DIMS(2, 2));
    one_op_absent(&o);
    memcpy(one_op_in(&o, HY_F32, 1, DIMS(2), true), scales[i], sizeof scales[i]);
    expect(&o, HY_BAD_FORMAT, "a scale of");
  }
  one_op o;
  one_op_begin(&o, "", "DFT", 20);
  floats_in(&o, 3, DIMS(1, 4, 1));
  *(int64_t *)one_op_in(&o, HY_I64, 0, NULL, true) = -3;
  expect(&o, HY_BAD_FORMAT, "length -3");
  one_op_begin(&o, "", "DFT", 20);
  floats_in(&o, 3, DIMS(1, 4, 1));
  *(int64_t *)one_op_in(&o, HY_I64, 0, NULL, true) = INT64_C(1) << 36;
  expect(&o, HY_LIMIT, "too long");
}

static void data_that_shapes_depend_on(void **state) {
  (void)state;
  one_op o;
  one_op_begin(&o, "", "Compress", 11);
  floats_in(&o, 1, DIMS(3));
  (void)one_op_in(&o, HY_BOOL, 1, DIMS(3), false);
  expect(&o, HY_UNSUPPORTED, "would depend on data");
  one_op_begin(&o, "", "Unique", 11);
  floats_in(&o, 1, DIMS(3));
  expect(&o, HY_UNSUPPORTED, "would depend on data");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scatters),
      cmocka_unit_test(a_cache_that_is_too_short),
      cmocka_unit_test(sequences),
      cmocka_unit_test(planes),
      cmocka_unit_test(a_wild_grid),
      cmocka_unit_test(equations),
      cmocka_unit_test(sizes_that_are_no_sizes),
      cmocka_unit_test(data_that_shapes_depend_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
