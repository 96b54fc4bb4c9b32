/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that cannot be had: every path that makes an object is run again and again, each time with
 * the next allocation failing. It must answer OUT_OF_MEMORY and give back all that it took; the
 * run in which nothing fails any more ends the sweep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <hayate/hayate.h>

#include "support/failing_allocator.h"

typedef hy_status (*path_fn)(hy_runtime *runtime, hy_error *err);

/* One run with one thread; what the runtime itself takes is swept too. */
static hy_status run_once(path_fn path, failing_allocator *fa, hy_error *err) {
  hy_runtime_options options = {.struct_size = sizeof options,
                                .allocator = &fa->allocator,
                                .n_threads = 1,
                                .log_level = HY_LOG_OFF};
  hy_runtime *runtime = NULL;
  hy_error_clear(err);
  hy_status status = hy_runtime_create(&options, &runtime, err);
  if (status == HY_OK) status = path(runtime, err);
  hy_runtime_destroy(runtime);
  return status;
}

static void sweep(const char *what, path_fn path) {
  for (size_t k = 1;; k++) {
    failing_allocator fa;
    hy_error err;
    failing_allocator_init(&fa);
    failing_allocator_arm(&fa, k);
    hy_status status = run_once(path, &fa, &err);
    if (fa.n_live || fa.live_bytes)
      fail_msg("%s: allocation %zu failed: %zu blocks, %zu bytes not given back (%s)", what, k,
               (size_t)fa.n_live, (size_t)fa.live_bytes, hy_status_name(status));
    if (fa.n_calls < k) {
      if (status != HY_OK) fail_msg("%s: %s", what, err.message);
      print_message("%s: %zu allocations\n", what, (size_t)fa.n_calls);
      return;
    }
    if (status != HY_OUT_OF_MEMORY)
      fail_msg("%s: allocation %zu failed, the answer was %s (%s)", what, k, hy_status_name(status),
               err.message);
    assert_int_equal(err.status, HY_OUT_OF_MEMORY);
  }
}

static hy_status runtime_alone(hy_runtime *runtime, hy_error *err) {
  (void)runtime, (void)err;
  return HY_OK;
}

static hy_status model_opened(hy_runtime *runtime, const char *folder, hy_error *err) {
  char path[256];
  hy_model *model = NULL;
  (void)snprintf(path, sizeof path, "tests/golden/onnx/%s/model.onnx", folder);
  hy_status status = hy_model_open(runtime, path, NULL, &model, err);
  hy_model_destroy(model);
  return status;
}

static hy_status model_trees(hy_runtime *runtime, hy_error *err) {
  return model_opened(runtime, "lgbm_reg", err);
}

static hy_status model_lstm(hy_runtime *runtime, hy_error *err) {
  return model_opened(runtime, "torch_lstm_last_dynamo", err);
}

static void test_runtime(void **state) { (void)state, sweep("runtime", runtime_alone); }
static void test_model_trees(void **state) { (void)state, sweep("model, trees", model_trees); }
static void test_model_lstm(void **state) { (void)state, sweep("model, LSTM", model_lstm); }

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runtime),
      cmocka_unit_test(test_model_trees),
      cmocka_unit_test(test_model_lstm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
