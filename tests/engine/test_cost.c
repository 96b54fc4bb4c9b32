/* SPDX-License-Identifier: Apache-2.0
 * What a plan is said to cost, against multiply-adds counted by hand, and the floor that follows
 * from given limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "engine/limits.h"

typedef struct opened {
  hy_runtime *runtime;
  hy_model *model;
  hy_session *session;
} opened;

static float input[1 << 16];

static opened run_once(const char *path, hy_tensor in) {
  opened o = {0};
  hy_error err;
  hy_tensor out[4] = {{0}};
  hy_runtime_options options = {.struct_size = sizeof options, .n_threads = 1};
  assert_int_equal(hy_runtime_create(&options, &o.runtime, &err), HY_OK);
  if (hy_model_open(o.runtime, path, NULL, &o.model, &err) != HY_OK ||
      hy_session_create(o.model, NULL, &o.session, &err) != HY_OK)
    fail_msg("%s", err.message);
  assert_null(hy__session_plan(o.session));
  in.dtype = HY_F32;
  in.data = input;
  if (hy_session_run(o.session, &in, 1, out, hy_session_n_outputs(o.session), &err) != HY_OK)
    fail_msg("%s", err.message);
  return o;
}

static void close_all(opened *o) {
  hy_session_destroy(o->session);
  hy_model_destroy(o->model);
  hy_runtime_destroy(o->runtime);
}

static double macs_of(const hy__plan *plan, double *repeated) {
  double macs = 0;
  *repeated = 0;
  for (size_t i = 0; i < plan->n_steps; i++) {
    hy__cost c;
    hy__cost_of(&plan->steps[i], &plan->infos[i], &c);
    macs += c.macs;
    *repeated += c.repeats * c.repeat_macs;
  }
  return macs;
}

static void a_perceptron(void **state) {
  (void)state;
  opened o = run_once("tests/golden/onnx/torch_mlp_legacy/model.onnx",
                      (hy_tensor){.rank = 2, .dims = {3, 40}});
  double repeated, macs = macs_of(hy__session_plan(o.session), &repeated);
  assert_true(macs == 3 * (40 * 64 + 64 * 40 + 40 * 3));
  assert_true(repeated == 0);
  close_all(&o);
}

static void a_recurrence(void **state) {
  (void)state;
  opened o = run_once("tests/golden/onnx/torch_lstm_last_legacy/model.onnx",
                      (hy_tensor){.rank = 3, .dims = {2, 11, 9}});
  const hy__plan *plan = hy__session_plan(o.session);
  double repeated, hidden = 0, macs = macs_of(plan, &repeated);
  for (size_t i = 0; i < plan->n_steps; i++)
    if (plan->infos[i].op && strcmp(plan->infos[i].op->name, "LSTM") == 0)
      hidden = (double)plan->steps[i].in[2].dims[2];
  assert_true(hidden > 0);
  assert_true(repeated == 11 * 2 * 4 * hidden * hidden);
  assert_true(macs > 11 * 2 * 4 * hidden * 9 && macs < 11 * 2 * 4 * hidden * 9 + 100 * hidden);
  close_all(&o);
}

/* 1e9 multiply-adds and 1e9 bytes a second from L1, half of that from L2. */
static const hy__limits limits = {.fma_per_s = 1e9,
                                  .bytes_per_s = {1e9, 5e8, 2.5e8, 1e8},
                                  .level_bytes = {1000, 10000, 100000, SIZE_MAX}};

static void the_floor(void **state) {
  (void)state;
  hy__cost c = {.macs = 2000, .activation_bytes = 400, .weight_bytes = 600};
  assert_true(fabs(hy__cost_floor_us(&c, &limits, 400, 600, 1) - 2.0) < 1e-9);
  assert_true(fabs(hy__cost_floor_us(&c, &limits, 400, 600, 2) - 1.0) < 1e-9);
  c.macs = 0; /* bytes alone: the first thousand can lie in L1, the second in L2 */
  assert_true(fabs(hy__cost_floor_us(&c, &limits, 400, 600, 1) - 1.0) < 1e-9);
  assert_true(fabs(hy__cost_floor_us(&c, &limits, 400, 1600, 1) - (0.4 + 0.6 * 1.5)) < 1e-9);
  c = (hy__cost){.repeats = 10, .repeat_macs = 500, .repeat_bytes = 800};
  assert_true(fabs(hy__cost_floor_us(&c, &limits, 0, 0, 1) - 8.0) < 1e-9);
  c.wide = true;
  assert_true(fabs(hy__cost_floor_us(&c, &limits, 0, 0, 1) - 10.0) < 1e-9);
}

static void measured_limits_are_rates(void **state) {
  (void)state;
  hy_runtime *runtime;
  hy__limits found;
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  assert_int_equal(hy__limits_measure(runtime, 1 << 16, &found, NULL), HY_OK);
  assert_true(found.fma_per_s > 0);
  for (size_t k = 0; k < HY__LEVELS; k++) assert_true(found.bytes_per_s[k] > 0);
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_perceptron), cmocka_unit_test(a_recurrence),
                                     cmocka_unit_test(the_floor),
                                     cmocka_unit_test(measured_limits_are_rates)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
