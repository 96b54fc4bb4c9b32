/* SPDX-License-Identifier: Apache-2.0
 * What a model may ask for, each limit where it holds and one beyond; and a model of more than 2
 * GiB in external data, of which a run touches what it needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "base/base.h"
#include "support/onnx_writer.h"
#include "support/runtime.h"

static const int64_t three[1] = {3}, open1[1] = {-1};

/* x -> n times Neg, one initializer of 3 floats added. */
static pb chain(int n) {
  static const float w[3] = {1, 2, 3};
  char before[16] = "x", after[16];
  pb g = {0};
  port_add(&g, 11, "x", HY_F32, open1, 1);
  for (int k = 0; k < n; k++) {
    snprintf(after, sizeof after, "v%d", k);
    node_add(&g, "Neg", before, after);
    memcpy(before, after, sizeof before);
  }
  char both[32];
  snprintf(both, sizeof both, "%s w", before);
  node_add(&g, "Add", both, "y");
  initializer_add(&g, "w", HY_F32, three, 1, w, sizeof w);
  port_add(&g, 12, "y", HY_F32, open1, 1);
  return model_make(&g, 17);
}

static hy_status run_all(pb model, hy_model_options options, hy_error *err) {
  hy_model *m = NULL;
  hy_session *s = NULL;
  float x[3] = {1, 1, 1};
  hy_tensor in = {.data = x, .dtype = HY_F32, .rank = 1, .dims = {3}}, out = {0};
  options.struct_size = sizeof options;
  hy_status status = hy_model_open_memory(runtime, model.data, model.n, &options, &m, err);
  if (status == HY_OK) status = hy_session_create(m, NULL, &s, err);
  if (status == HY_OK) status = hy_session_run(s, &in, 1, &out, 1, err);
  hy_session_destroy(s);
  hy_model_destroy(m);
  pb_free(&model);
  return status;
}

static void holds(hy_model_options options) {
  hy_error err;
  if (run_all(chain(4), options, &err) != HY_OK) fail_msg("%s", err.message);
}

static void refuses(hy_model_options options, int n, const char *why) {
  hy_error err;
  assert_int_equal(run_all(chain(n), options, &err), HY_LIMIT);
  if (!strstr(err.message, why)) fail_msg("%s", err.message);
}

static void each_limit(void **state) {
  (void)state;
  holds((hy_model_options){.max_nodes = 5});
  refuses((hy_model_options){.max_nodes = 4}, 4, "5 nodes; at most 4");
  holds((hy_model_options){.max_elements = 3});
  refuses((hy_model_options){.max_elements = 2}, 4, "it has 3 elements; at most 2");
  holds((hy_model_options){.max_initializer_bytes = 12});
  refuses((hy_model_options){.max_initializer_bytes = 11}, 4, "more than 11 bytes");
  holds((hy_model_options){.max_plan_bytes = 1 << 20});
  refuses((hy_model_options){.max_plan_bytes = 1 << 16}, 2000, "limit of 65536 bytes");
  refuses((hy_model_options){.max_plan_ms = 1}, 300000, "max_plan_ms");
}

/* Zeros of a shape that is fed: the elements are the plan's, not the file's. */
static void elements_while_planned(void **state) {
  (void)state;
  pb g = {0};
  port_add(&g, 11, "n", HY_I64, open1, 1);
  node_add(&g, "ConstantOfShape", "n", "y");
  port_add(&g, 12, "y", HY_F32, NULL, -1);
  pb model = model_make(&g, 17);
  hy_model_options options = {.struct_size = sizeof options, .max_elements = 1000};
  hy_model *m;
  hy_session *s;
  hy_error err;
  assert_int_equal(hy_model_open_memory(runtime, model.data, model.n, &options, &m, &err), HY_OK);
  assert_int_equal(hy_session_create(m, NULL, &s, &err), HY_OK);
  for (int64_t n = 999; n <= 1001; n++) {
    hy_tensor in = {.data = &n, .dtype = HY_I64, .rank = 1, .dims = {1}}, out = {0};
    assert_int_equal(hy_session_run(s, &in, 1, &out, 1, &err), n <= 1000 ? HY_OK : HY_LIMIT);
  }
  assert_non_null(strstr(err.message, "max_elements"));
  hy_session_destroy(s);
  hy_model_destroy(m);
  pb_free(&model);
}

/* --- 2.25 GiB of weights in a sparse file --- */

static const int64_t rows = (int64_t)9 << 24, row_floats = 4;

static void text_entry(pb *t, const char *key, const char *value) {
  pb entry = {0};
  pb_text(&entry, 1, key);
  pb_text(&entry, 2, value);
  pb_message(t, 13, &entry);
}

static void a_model_over_2_gib(void **state) {
  (void)state;
  char weights[64], path[64];
  const float last[4] = {1, 2, 3, 4};
  const int64_t dims[2] = {rows, row_floats};
  snprintf(weights, sizeof weights, "/tmp/hayate-large-%d.bin", (int)getpid());
  snprintf(path, sizeof path, "/tmp/hayate-large-%d.onnx", (int)getpid());
  FILE *f = fopen(weights, "wb");
  assert_non_null(f);
  assert_int_equal(fseeko(f, (off_t)((rows - 1) * row_floats * 4), SEEK_SET), 0);
  assert_int_equal(fwrite(last, 1, sizeof last, f), sizeof last);
  assert_int_equal(fclose(f), 0);
  pb g = {0}, t = tensor_make("w", HY_F32, dims, 2, NULL, 0);
  text_entry(&t, "location", weights + sizeof "/tmp/" - 1);
  pb_int(&t, 14, 1);
  pb_message(&g, 5, &t);
  port_add(&g, 11, "i", HY_I64, open1, 1);
  node_add(&g, "Gather", "w i", "y");
  port_add(&g, 12, "y", HY_F32, NULL, -1);
  pb model = model_make(&g, 17);
  hy_model *m = NULL;
  hy_session *s = NULL;
  hy_error err;
  assert_int_equal(hy__file_write_all(path, model.data, model.n, NULL), HY_OK);
  if (hy_model_open(runtime, path, NULL, &m, &err) != HY_OK ||
      hy_session_create(m, NULL, &s, &err) != HY_OK)
    fail_msg("%s", err.message);
  int64_t at[2] = {rows - 1, 0};
  hy_tensor in = {.data = at, .dtype = HY_I64, .rank = 1, .dims = {2}}, out = {0};
  if (hy_session_run(s, &in, 1, &out, 1, &err) != HY_OK) fail_msg("%s", err.message);
  assert_memory_equal(out.data, last, sizeof last);
  assert_true(((float *)out.data)[7] == 0);
  hy_session_destroy(s);
  hy_model_destroy(m);
  pb_free(&model);
  (void)remove(path);
  (void)remove(weights);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_limit),
                                     cmocka_unit_test(elements_while_planned),
                                     cmocka_unit_test(a_model_over_2_gib)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
