/* SPDX-License-Identifier: Apache-2.0
 * Large constants that lie unaligned in the file: packed from there, copied for who reads them in
 * place, aligned where the caller asks for them. At every distance from alignment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "model/model.h"
#include "support/onnx_writer.h"

enum { K = 32, N = 40 };

static float weights(size_t i) { return (float)((int)(i * 7 % 23) - 11) / 8; }

/* y = x W, z = x V + (the sum over V's rows of V), with V read in place too. `shift` moves all. */
static pb graph_make(size_t shift) {
  static const char name[] = "abcd";
  float w[K * N];
  pb g = {0};
  const int64_t rows[2] = {-1, K}, matrix[2] = {K, N}, out[2] = {-1, N};
  for (size_t i = 0; i < K * N; i++) w[i] = weights(i);
  pb_bytes(&g, 2, name, shift);
  initializer_add(&g, "W", HY_F32, matrix, 2, w, sizeof w);
  for (size_t i = 0; i < K * N; i++) w[i] = weights(i + 1);
  initializer_add(&g, "V", HY_F32, matrix, 2, w, sizeof w);
  port_add(&g, 11, "x", HY_F32, rows, 2);
  node_add(&g, "MatMul", "x W", "y");
  node_add(&g, "MatMul", "x V", "p");
  node_add(&g, "Abs", "V", "abs");
  node_add(&g, "MatMul", "x abs", "q");
  node_add(&g, "Add", "p q", "z");
  port_add(&g, 12, "y", HY_F32, out, 2);
  port_add(&g, 12, "z", HY_F32, out, 2);
  return g;
}

static bool inside(const pb *file, const void *data) {
  return (const uint8_t *)data >= file->data && (const uint8_t *)data < file->data + file->n;
}

/* Where the two constants are; whether W lies unaligned. */
static bool check_places(const hy_model *model, const pb *file) {
  const hy__graph *g = hy__model_graph(model);
  bool loose = false;
  for (size_t v = 0; v < g->n_values; v++) {
    const hy__value *value = &g->values[v];
    if (!value->constant) continue;
    const uintptr_t at = (uintptr_t)value->constant->data;
    if (*value->name == 'W') {
      assert_true(inside(file, value->constant->data));
      loose = at % sizeof(float) != 0;
    } else {
      assert_int_equal(at % sizeof(float), 0);
    }
  }
  return loose;
}

static void check_run(hy_session *s) {
  float x[2 * K];
  for (size_t i = 0; i < 2 * K; i++) x[i] = (float)(i % 5) - 2;
  const hy_tensor in = {.data = x, .dtype = HY_F32, .rank = 2, .dims = {2, K}};
  hy_tensor out[3] = {{0}};
  hy_error err;
  if (hy_session_run(s, &in, 1, out, 3, &err) != HY_OK) fail_msg("%s", err.message);
  for (size_t i = 0; i < 2; i++)
    for (size_t j = 0; j < N; j++) {
      float y = 0, z = 0; /* eighths: exact */
      for (size_t k = 0; k < K; k++) {
        const float v = weights(k * N + j + 1);
        y += x[i * K + k] * weights(k * N + j);
        z += x[i * K + k] * (v + (v < 0 ? -v : v));
      }
      assert_true(((float *)out[0].data)[i * N + j] == y);
      assert_true(((float *)out[1].data)[i * N + j] == z);
    }
  assert_int_equal((uintptr_t)out[2].data % sizeof(float), 0);
  for (size_t i = 0; i < K * N; i++) assert_true(((float *)out[2].data)[i] == weights(i));
}

static void every_shift(void **state) {
  (void)state;
  static const char *const outputs[] = {"y", "z", "W"};
  hy_runtime *runtime;
  hy_error err;
  size_t n_loose = 0;
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  for (size_t shift = 0; shift < 4; shift++) {
    pb g = graph_make(shift), file = model_make(&g, 17);
    hy_model *model;
    hy_session *session = NULL;
    const hy_session_options options = {
        .struct_size = sizeof options, .outputs = outputs, .n_outputs = 3};
    if (hy_model_open_memory(runtime, file.data, file.n, NULL, &model, &err) != HY_OK ||
        hy_session_create(model, &options, &session, &err) != HY_OK)
      fail_msg("%s", err.message);
    n_loose += check_places(model, &file);
    check_run(session);
    hy_session_destroy(session);
    hy_model_destroy(model);
    pb_free(&file);
  }
  assert_int_equal(n_loose, 3);
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_shift)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
