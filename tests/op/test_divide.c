/* SPDX-License-Identifier: Apache-2.0
 * Steps that divide among workers: the bits are those of one thread, and those of each row alone.
 * Convolutions of one and two dims, pools, norms, functions, sums and attention. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "support/onnx_writer.h"

enum { BATCH = 23, T = 48, F = 32, ROW = T * F, THREADS = 3 };
static float data[BATCH * ROW];

static void fill(float *x, size_t n, uint32_t seed) {
  for (size_t i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    x[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
  }
}

static void weights(pb *g, const char *name, const int64_t *dims, int rank) {
  size_t n = 1;
  for (int d = 0; d < rank; d++) n *= (size_t)dims[d];
  float *values = malloc(n * sizeof(float));
  fill(values, n, (uint32_t)n);
  initializer_add(g, name, HY_F32, dims, rank, values, n * sizeof(float));
  free(values);
}

static void node_ints(pb *g, const char *op, const char *in, const char *out, const char *name,
                      const int64_t *values, size_t n) {
  pb node = node_make(op, in, out);
  attr_ints(&node, name, values, n);
  pb_message(g, 1, &node);
}

static pb graph(void) {
  const int64_t dims[3] = {-1, T, F};
  pb g = {0};
  port_add(&g, 11, "x", HY_F32, dims, 3);
  port_add(&g, 12, "y", HY_F32, NULL, -1);
  return g;
}

/* What all rows give at `n_threads`; the caller frees. */
static float *answer(hy_model *model, uint32_t n_threads, const float *x, int64_t batch,
                     size_t *bytes) {
  const hy_session_options options = {.struct_size = sizeof options, .n_threads = n_threads};
  const hy_tensor in = {
      .data = (void *)(uintptr_t)x, .dtype = HY_F32, .rank = 3, .dims = {batch, T, F}};
  hy_session *s;
  hy_tensor out = {0};
  hy_error err;
  if (hy_session_create(model, &options, &s, &err) != HY_OK ||
      hy_session_run(s, &in, 1, &out, 1, &err) != HY_OK)
    fail_msg("%s", err.message);
  *bytes = sizeof(float);
  for (int32_t d = 0; d < out.rank; d++) *bytes *= (size_t)out.dims[d];
  float *y = malloc(*bytes);
  memcpy(y, out.data, *bytes);
  hy_session_destroy(s);
  return y;
}

/* Takes the graph. */
static void same_bits(pb *g) {
  hy_runtime *runtime;
  hy_model *model;
  hy_error err;
  const hy_runtime_options options = {.struct_size = sizeof options, .n_threads = THREADS};
  pb bytes = model_make(g, 17);
  size_t n_one, n_many, n_alone;
  fill(data, BATCH * ROW, 5);
  assert_int_equal(hy_runtime_create(&options, &runtime, &err), HY_OK);
  if (hy_model_open_memory(runtime, bytes.data, bytes.n, NULL, &model, &err) != HY_OK)
    fail_msg("%s", err.message);
  float *one = answer(model, 1, data, BATCH, &n_one);
  float *many = answer(model, THREADS, data, BATCH, &n_many);
  assert_int_equal(n_one, n_many);
  assert_memory_equal(one, many, n_one);
  for (int row = 0; row < BATCH; row += 5) {
    float *alone = answer(model, THREADS, data + row * ROW, 1, &n_alone);
    assert_int_equal(n_alone * BATCH, n_one);
    assert_memory_equal(alone, (char *)one + (size_t)row * n_alone, n_alone);
    free(alone);
  }
  free(one);
  free(many);
  hy_model_destroy(model);
  hy_runtime_destroy(runtime);
  pb_free(&bytes);
}

static void convolutions(void **state) {
  (void)state;
  const int64_t swap[3] = {0, 2, 1}, w[3] = {40, F, 3}, v[3] = {40, 40, 3}, pads[2] = {2, 0};
  const int64_t planes[4] = {0, 8, T / 8, F}, p[4] = {24, 8, 3, 3}, around[4] = {1, 1, 1, 1};
  const int64_t two[2] = {2, 2}, list[1] = {4};
  pb g = graph();
  weights(&g, "w", w, 3);
  weights(&g, "v", v, 3);
  node_ints(&g, "Transpose", "x", "t", "perm", swap, 3);
  node_ints(&g, "Conv", "t w", "a", "pads", pads, 2);
  node_add(&g, "Relu", "a", "b");
  node_ints(&g, "Conv", "b v", "c", "pads", pads, 2);
  node_add(&g, "Add", "b c", "d");
  node_ints(&g, "Transpose", "d", "y", "perm", swap, 3);
  same_bits(&g);
  g = graph();
  weights(&g, "p", p, 4);
  initializer_add(&g, "planes", HY_I64, list, 1, planes, sizeof planes);
  node_add(&g, "Reshape", "x planes", "r");
  node_ints(&g, "Conv", "r p", "c", "pads", around, 4);
  pb pool = node_make("MaxPool", "c", "m");
  attr_ints(&pool, "kernel_shape", two, 2);
  pb_message(&g, 1, &pool);
  pool = node_make("AveragePool", "m", "y");
  attr_ints(&pool, "kernel_shape", two, 2);
  attr_ints(&pool, "pads", around, 4);
  pb_message(&g, 1, &pool);
  same_bits(&g);
}

static void rows_and_elements(void **state) {
  (void)state;
  const int64_t row[1] = {F};
  pb g = graph();
  weights(&g, "s", row, 1);
  node_add(&g, "LayerNormalization", "x s", "n");
  node_add(&g, "Tanh", "n", "t");
  node_add(&g, "Add", "t x", "a");
  node_add(&g, "Softmax", "a", "y");
  same_bits(&g);
}

static void attention(void **state) {
  (void)state;
  const int64_t heads[4] = {0, 0, 4, F / 4}, rows[4] = {0, 2, 1, 3}, keys[4] = {0, 2, 3, 1};
  const int64_t list[1] = {4};
  pb g = graph();
  initializer_add(&g, "heads", HY_I64, list, 1, heads, sizeof heads);
  node_add(&g, "Reshape", "x heads", "h");
  node_ints(&g, "Transpose", "h", "q", "perm", rows, 4);
  node_ints(&g, "Transpose", "h", "k", "perm", keys, 4);
  node_add(&g, "MatMul", "q k", "s");
  node_add(&g, "Softmax", "s", "p");
  node_add(&g, "MatMul", "p q", "y");
  same_bits(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(convolutions),
                                     cmocka_unit_test(rows_and_elements),
                                     cmocka_unit_test(attention)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
