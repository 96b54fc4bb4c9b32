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

enum { THREADS = 6, ROUNDS = 3 };
#define FOLDER "tests/golden/onnx/torch_lstm_bi_stacked_dynamo/"

typedef struct job {
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
    j->status = hy_session_create(j->model, NULL, &session, &j->err);
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

static void sessions_of_many_threads(void **state) {
  (void)state;
  hy_runtime *runtime;
  hy_model *model;
  hy_arrays *input;
  pthread_t threads[THREADS];
  job jobs[THREADS] = {{0}};
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  assert_int_equal(hy_model_open(runtime, FOLDER "model.onnx", NULL, &model, NULL), HY_OK);
  assert_int_equal(hy_arrays_read(runtime, FOLDER "input.npz", &input, NULL), HY_OK);
  for (int t = 0; t < THREADS; t++) {
    jobs[t] = (job){.model = model, .in = hy_arrays_at(input, 0)};
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

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sessions_of_many_threads)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
