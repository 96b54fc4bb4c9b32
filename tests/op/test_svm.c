/* SPDX-License-Identifier: Apache-2.0
 * SVMRegressor: every kernel against values that ONNX Runtime 1.31.1 gave for the same attributes
 * (run once, on three rows), and refusals of lists that do not fit. */
#include "op/one_op.h"

#include <math.h>

static const float coefficients[3] = {0.3f, -0.2f, 0.1f}, rho[1] = {0.05f};
static const float kernel_params[3] = {0.1f, 0.2f, 3.0f};
static const float vectors[6] = {1, 2, 3, 0.5f, -0.5f, 1};
static const float rows[9] = {-1, 2, 0.5f, 0, 0, 0, -3, -2, -1};

static hy_status run_one(one_op *o, const char *kernel, int64_t one_class, int64_t n_supports) {
  one_op_begin(o, "ai.onnx.ml", "SVMRegressor", 1);
  one_op_floats(o, "coefficients", coefficients, n_supports ? 2 : 3);
  one_op_floats(o, "kernel_params", kernel_params, 3);
  one_op_floats(o, "rho", rho, 1);
  one_op_string(o, "kernel_type", kernel);
  one_op_int(o, "n_supports", n_supports);
  one_op_int(o, "one_class", one_class);
  one_op_floats(o, "support_vectors", vectors, n_supports ? 6 : 0);
  memcpy(one_op_in(o, HY_F32, 2, (int64_t[]){3, 3}, false), rows, sizeof rows);
  return one_op_run(o, 1, 1);
}

static void test_kernels(void **state) {
  (void)state;
  static const struct {
    const char *kernel;
    double y[3];
  } cases[] = {{"LINEAR", {1.600000023841858, 0.05000000074505806, -2.6500000953674316}},
               {"POLY", {0.13218751549720764, 0.05079999938607216, -0.10362501442432404}},
               {"RBF", {0.07426654547452927, -0.04816250875592232, 0.021021492779254913}},
               {"SIGMOID", {0.2015674114227295, 0.06973753124475479, -0.15920275449752808}}};
  for (size_t c = 0; c < HY_COUNT(cases); ++c) {
    for (int64_t one_class = 0; one_class < 2; ++one_class) {
      one_op o;
      assert_int_equal(run_one(&o, cases[c].kernel, one_class, 2), HY_OK);
      for (int i = 0; i < 3; ++i) {
        double want = cases[c].y[i], got = (double)((const float *)o.out[0].data)[i];
        if (one_class) want = want > 0 ? 1 : -1;
        assert_true(fabs(got - want) < 1e-6);
      }
      one_op_end(&o);
    }
  }
}

static void test_linear_form(void **state) {
  (void)state;
  static const double want[3] = {-0.6000000238418579, 0.05000000074505806, -0.550000011920929};
  one_op o;
  assert_int_equal(run_one(&o, "LINEAR", 0, 0), HY_OK);
  for (int i = 0; i < 3; ++i)
    assert_true(fabs((double)((const float *)o.out[0].data)[i] - want[i]) < 1e-6);
  one_op_end(&o);
}

static void test_refusals(void **state) {
  (void)state;
  one_op o;
  assert_int_equal(run_one(&o, "CUBIC", 0, 2), HY_BAD_FORMAT);
  one_op_end(&o);
  assert_int_equal(run_one(&o, "RBF", 0, 3), HY_BAD_FORMAT);
  one_op_end(&o);
  assert_int_equal(run_one(&o, "RBF", 0, -1), HY_BAD_FORMAT);
  one_op_end(&o);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kernels),
      cmocka_unit_test(test_linear_form),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
