/* SPDX-License-Identifier: Apache-2.0
 * One model, a session per thread, all made and planned at once: folded constants and packed
 * weights are shared, and every session gives the same bits. The thread sanitizer watches it in
 * `make check`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "support/onnx_writer.h"

enum { THREADS = 6, ROUNDS = 3 };
#define FOLDER "tests/golden/onnx/torch_lstm_bi_stacked_dynamo/"

typedef struct job {
  uint32_t n_threads;
  hy_model *model;
  const hy_tensor *in;
  size_t bytes;
  void *answer[ROUNDS];
  hy_status status;
  hy_error err;
} job;

static size_t bytes_of(const hy_tensor *t) {
  size_t n = hy_dtype_bytes(t->dtype);
  for (int32_t d = 0; d < t->rank; d++) n *= (size_t)t->dims[d];
  return n;
}

static void *work(void *arg) {
  job *j = arg;
  for (int k = 0; k < ROUNDS && j->status == HY_OK; k++) {
    hy_session *session = NULL;
    hy_tensor out = {0};
    hy_session_options options = {.struct_size = sizeof options, .n_threads = j->n_threads};
    j->status = hy_session_create(j->model, &options, &session, &j->err);
    if (j->status == HY_OK) j->status = hy_session_run(session, j->in, 1, &out, 1, &j->err);
    if (j->status == HY_OK) {
      j->bytes = bytes_of(&out);
      j->answer[k] = malloc(j->bytes);
      memcpy(j->answer[k], out.data, j->bytes);
    }
    hy_session_destroy(session);
  }
  return NULL;
}

static void sessions_of_many_threads(uint32_t n_threads) {
  hy_runtime *runtime;
  hy_model *model;
  hy_arrays *input;
  pthread_t threads[THREADS];
  job jobs[THREADS] = {{0}};
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  assert_int_equal(hy_model_open(runtime, FOLDER "model.onnx", NULL, &model, NULL), HY_OK);
  assert_int_equal(hy_arrays_read(runtime, FOLDER "input.npz", &input, NULL), HY_OK);
  for (int t = 0; t < THREADS; t++) {
    jobs[t] = (job){.n_threads = n_threads, .model = model, .in = hy_arrays_at(input, 0)};
    assert_int_equal(pthread_create(&threads[t], NULL, work, &jobs[t]), 0);
  }
  for (int t = 0; t < THREADS; t++) assert_int_equal(pthread_join(threads[t], NULL), 0);
  for (int t = 0; t < THREADS; t++) {
    if (jobs[t].status != HY_OK) fail_msg("%s", jobs[t].err.message);
    for (int k = 0; k < ROUNDS; k++)
      assert_memory_equal(jobs[t].answer[k], jobs[0].answer[0], jobs[0].bytes);
  }
  for (int t = 0; t < THREADS; t++)
    for (int k = 0; k < ROUNDS; k++) free(jobs[t].answer[k]);
  hy_arrays_destroy(input);
  hy_model_destroy(model);
  hy_runtime_destroy(runtime);
}

static void sessions_alone(void **state) {
  (void)state;
  sessions_of_many_threads(1);
}

/* --- the runtime's threads, or a session's own --- */

enum { FEATURES = 96, UNITS = 640, ROWS_MAX = 300 };

/* Two products, wide enough to divide by columns where rows are few, and a narrow one. */
static float inputs[ROWS_MAX * FEATURES]; /* set with the model, before threads read it */

static pb products_model(void) {
  static float weights[UNITS * UNITS];
  static const char *const names[] = {"w0", "w1", "w2"};
  const int64_t dims[3][2] = {{FEATURES, UNITS}, {UNITS, UNITS}, {UNITS, 3}};
  const int64_t in[2] = {-1, FEATURES};
  pb g = {0};
  for (size_t i = 0; i < ROWS_MAX * FEATURES; i++) inputs[i] = (float)((i * 31) % 97) / 40 - 1;
  port_add(&g, 11, "x", HY_F32, in, 2);
  port_add(&g, 12, "y", HY_F32, in, -1);
  port_add(&g, 12, "h1", HY_F32, in, -1);
  for (size_t i = 0; i < UNITS * UNITS; i++)
    weights[i] = (float)((i * 7919) % 1009) / 10000 - 0.05f;
  for (int k = 0; k < 3; k++)
    initializer_add(&g, names[k], HY_F32, dims[k], 2, weights,
                    (size_t)(dims[k][0] * dims[k][1]) * sizeof(float));
  node_add(&g, "MatMul", "x w0", "p0");
  node_add(&g, "Relu", "p0", "h0");
  node_add(&g, "MatMul", "h0 w1", "p1");
  node_add(&g, "Tanh", "p1", "h1");
  node_add(&g, "MatMul", "h1 w2", "y");
  return model_make(&g, 17);
}

static void run_products(hy_model *model, uint32_t n_threads, int64_t rows, float *y, float *h) {
  hy_session_options options = {.struct_size = sizeof options, .n_threads = n_threads};
  hy_tensor in = {.data = inputs, .dtype = HY_F32, .rank = 2, .dims = {rows, FEATURES}}, out[2];
  hy_session *s;
  hy_error err;
  if (hy_session_create(model, &options, &s, &err) != HY_OK) fail_msg("%s", err.message);
  for (int round = 0; round < 4; round++) {
    memset(out, 0, sizeof out);
    if (hy_session_run(s, &in, 1, out, 2, &err) != HY_OK) fail_msg("%s", err.message);
  }
  memcpy(y, out[0].data, bytes_of(&out[0]));
  memcpy(h, out[1].data, bytes_of(&out[1]));
  hy_session_destroy(s);
}

/* The bits of a product do not know of the threads, of the batch, or of the run before. */
static void products_divide(void **state) {
  static float y[2][ROWS_MAX * 3], h[2][ROWS_MAX * UNITS];
  static const int64_t rows[] = {ROWS_MAX, 61, 5, 1};
  hy_runtime *runtime;
  hy_model *model;
  pb bytes = products_model();
  (void)state;
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  assert_int_equal(hy_model_open_memory(runtime, bytes.data, bytes.n, NULL, &model, NULL), HY_OK);
  run_products(model, 0, ROWS_MAX, y[0], h[0]);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    for (uint32_t n_threads = 1; n_threads <= 4; n_threads++) {
      run_products(model, n_threads, rows[i], y[1], h[1]);
      assert_memory_equal(y[1], y[0], (size_t)rows[i] * 3 * sizeof(float));
      assert_memory_equal(h[1], h[0], (size_t)rows[i] * UNITS * sizeof(float));
    }
  }
  hy_model_destroy(model);
  hy_runtime_destroy(runtime);
  pb_free(&bytes);
}

/* Sessions that share their runtime's workers, each in a thread of its own: whoever finds them at
 * work does without, and nobody's bits change. */
typedef struct sharing {
  hy_model *model;
  const float *want;
  bool same;
} sharing;

static void *share(void *arg) {
  sharing *s = arg;
  float *y = malloc(ROWS_MAX * 3 * sizeof *y), *h = malloc(ROWS_MAX * UNITS * sizeof *h);
  s->same = y && h;
  for (int k = 0; k < ROUNDS && s->same; k++) {
    run_products(s->model, HY_THREADS_SHARED, ROWS_MAX, y, h);
    s->same = memcmp(y, s->want, ROWS_MAX * 3 * sizeof *y) == 0;
  }
  free(y);
  free(h);
  return NULL;
}

static void sessions_share_workers(void **state) {
  static float y[ROWS_MAX * 3], h[ROWS_MAX * UNITS];
  hy_runtime *runtime;
  hy_model *model;
  pthread_t threads[THREADS];
  sharing all[THREADS];
  pb bytes = products_model();
  const hy_runtime_options options = {
      .struct_size = sizeof options, .n_threads = 3, .no_pinning = true};
  (void)state;
  assert_int_equal(hy_runtime_create(&options, &runtime, NULL), HY_OK);
  assert_int_equal(hy_model_open_memory(runtime, bytes.data, bytes.n, NULL, &model, NULL), HY_OK);
  run_products(model, 1, ROWS_MAX, y, h);
  for (int t = 0; t < THREADS; t++) {
    all[t] = (sharing){.model = model, .want = y};
    assert_int_equal(pthread_create(&threads[t], NULL, share, &all[t]), 0);
  }
  for (int t = 0; t < THREADS; t++) assert_int_equal(pthread_join(threads[t], NULL), 0);
  for (int t = 0; t < THREADS; t++) assert_true(all[t].same);
  hy_model_destroy(model);
  hy_runtime_destroy(runtime);
  pb_free(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sessions_alone),
                                     cmocka_unit_test(sessions_share_workers),
                                     cmocka_unit_test(products_divide)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
