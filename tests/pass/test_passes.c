/* SPDX-License-Identifier: Apache-2.0
 * Graph rewrites: what each leaves of a small graph, and that the numbers stay; and the memory
 * plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "pass/pass.h"
#include "support/onnx_writer.h"

static hy_runtime *runtime;
static hy__kernels kernels;

static int set_up(void **state) {
  (void)state;
  hy_runtime_options options = {.struct_size = sizeof options, .n_threads = 1};
  if (hy_runtime_create(&options, &runtime, NULL) != HY_OK) return 1;
  hy__kernels_for(hy__runtime_cpu(runtime)->mask, &kernels);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  hy_runtime_destroy(runtime);
  return 0;
}

/* The operators left, blank-separated, before or after the passes. */
static void operators(const hy_model *model, const hy_tensor *in, bool passes, char *text,
                      size_t n) {
  const hy__graph *graph = hy__model_graph(model);
  const hy_allocator *a = hy__runtime_allocator(runtime);
  hy__arena *arena;
  hy_error err;
  size_t used = 0;
  assert_int_equal(hy__arena_create(a, 0, 0, &arena, NULL), HY_OK);
  hy__packs packs = {.arena = arena};
  hy__work w = {
      .runtime = runtime, .allocator = a, .arena = arena, .kernels = &kernels, .packs = &packs};
  hy__work_source from = {
      .graph = graph, .inputs = in, .outputs = graph->outputs, .n_outputs = graph->n_outputs};
  hy_status status = hy__work_build(&w, &from, &err);
  hy__work_count(&w);
  if (status == HY_OK && passes) status = hy__pass_run_all(&w, &err);
  if (status != HY_OK) fail_msg("%s", err.message);
  text[0] = 0;
  for (size_t i = 0; i < w.n_nodes; i++)
    if (!w.nodes[i].dead)
      used +=
          (size_t)snprintf(text + used, n - used, "%s%s", used ? " " : "", w.nodes[i].node.op_type);
  hy__work_destroy(&w);
  hy__arena_destroy(arena);
}

static hy_model *open_bytes(const pb *bytes) {
  hy_model *m;
  hy_error err;
  if (hy_model_open_memory(runtime, bytes->data, bytes->n, NULL, &m, &err) != HY_OK)
    fail_msg("%s", err.message);
  return m;
}

/* Takes the graph; x is the one input. */
static void expect_operators(pb *graph, const hy_tensor *x, const char *before, const char *after) {
  char text[512];
  hy_tensor in = *x;
  in.data = NULL;
  pb bytes = model_make(graph, 17);
  hy_model *m = open_bytes(&bytes);
  operators(m, &in, false, text, sizeof text);
  assert_string_equal(text, before);
  operators(m, &in, true, text, sizeof text);
  assert_string_equal(text, after);
  hy_model_destroy(m);
  pb_free(&bytes);
}

static const float weights[6] = {1, -2, 3, 0.5f, 0.25f, -1};
static const int64_t dims_w[2] = {3, 2}, dims_wt[2] = {2, 3}, dims_b[1] = {2}, dims_x[2] = {-1, 3};
static float x_data[6] = {1, 2, 3, -4, 5, -6};
static const hy_tensor x = {.data = x_data, .dtype = HY_F32, .rank = 2, .dims = {2, 3}};

static pb linear_graph(void) {
  pb g = {0};
  port_add(&g, 11, "x", HY_F32, dims_x, 2);
  port_add(&g, 12, "y", HY_F32, dims_x, -1);
  initializer_add(&g, "w", HY_F32, dims_w, 2, weights, sizeof weights);
  initializer_add(&g, "wt", HY_F32, dims_wt, 2, weights, sizeof weights);
  initializer_add(&g, "b", HY_F32, dims_b, 1, weights, 8);
  return g;
}

static void products_become_linear(void **state) {
  (void)state;
  pb g = linear_graph();
  node_add(&g, "MatMul", "x w", "m");
  node_add(&g, "Add", "b m", "a");
  node_add(&g, "Relu", "a", "y");
  expect_operators(&g, &x, "MatMul Add Relu", "Linear");
  g = linear_graph();
  pb gemm = node_make("Gemm", "x wt b", "m");
  attr_int(&gemm, "transB", 1);
  pb_message(&g, 1, &gemm);
  node_add(&g, "Tanh", "m", "t");
  node_add(&g, "Sigmoid", "t", "y"); /* one activation fits, the next stays */
  expect_operators(&g, &x, "Gemm Tanh Sigmoid", "Linear Sigmoid");
  g = linear_graph();
  node_add(&g, "MatMul", "x w", "m");
  node_add(&g, "Relu", "m", "r");
  node_add(&g, "Add", "m r", "y"); /* the product has a second user */
  expect_operators(&g, &x, "MatMul Relu Add", "Linear Relu Add");
  g = linear_graph();
  gemm = node_make("Gemm", "x w b", "y");
  pb half = {0};
  pb_text(&half, 1, "alpha");
  pb_varint(&half, 2 << 3 | 5);
  pb_raw(&half, &weights[3], 4);
  pb_message(&gemm, 5, &half);
  pb_message(&g, 1, &gemm);
  expect_operators(&g, &x, "Gemm", "Gemm"); /* alpha is not one */
}

static void what_changes_nothing_goes(void **state) {
  (void)state;
  pb g = linear_graph(), cast = node_make("Cast", "i", "c");
  const int64_t same[2] = {-1, 3}, dims[1] = {2};
  initializer_add(&g, "same", HY_I64, dims, 1, same, sizeof same);
  node_add(&g, "Identity", "x", "i");
  attr_int(&cast, "to", HY_F32);
  pb_message(&g, 1, &cast);
  node_add(&g, "Dropout", "c", "d");
  node_add(&g, "Reshape", "d same", "r");
  node_add(&g, "Neg", "r", "y");
  expect_operators(&g, &x, "Identity Cast Dropout Reshape Neg", "Neg");
}

static void constants_fold(void **state) {
  (void)state;
  pb g = linear_graph();
  node_add(&g, "Transpose", "wt", "t");
  node_add(&g, "Add", "t w", "sum");
  node_add(&g, "MatMul", "x sum", "m");
  node_add(&g, "Shape", "m", "dims");
  node_add(&g, "ConstantOfShape", "dims", "zeros");
  node_add(&g, "Add", "m zeros", "y");
  expect_operators(&g, &x, "MatMul Add", "Linear Add");
}

/* Casts stand around arithmetic alone, one for all uses of a value; a constant's is folded. */
static void halves_are_widened(void **state) {
  (void)state;
  static const uint16_t codes[6] = {0x3c00, 0xc000, 0x4200, 0x3800, 0x3400, 0xbc00};
  hy_tensor half = x;
  half.dtype = HY_F16;
  pb g = {0};
  port_add(&g, 11, "x", HY_F16, dims_x, 2);
  port_add(&g, 12, "y", HY_F16, dims_x, -1);
  initializer_add(&g, "w", HY_F16, dims_w, 2, codes, sizeof codes);
  node_add(&g, "Identity", "x", "i");
  node_add(&g, "MatMul", "i w", "m");
  node_add(&g, "Mul", "m m", "s");
  node_add(&g, "Sub", "s m", "y");
  expect_operators(&g, &half, "Identity Cast MatMul Cast Cast Mul Cast Cast Sub Cast",
                   "Cast Linear Cast Cast Mul Cast Cast Sub Cast");
  g = (pb){0};
  port_add(&g, 11, "x", HY_F16, dims_x, 2);
  port_add(&g, 12, "y", HY_BOOL, dims_x, -1);
  node_add(&g, "Greater", "x x", "y");
  expect_operators(&g, &half, "Cast Greater", "Cast Greater");
}

/* --- recurrent layers --- */

enum { BATCH = 3, STEPS = 5, FEATURES = 2, HIDDEN = 4 };

static pb recurrent_graph(const char *outputs, const char *direction) {
  const int64_t w[3] = {1, 4 * HIDDEN, FEATURES}, r[3] = {1, 4 * HIDDEN, HIDDEN};
  const int64_t h[3] = {1, BATCH, HIDDEN}, in[3] = {-1, STEPS, FEATURES}, one[1] = {1};
  const int64_t swap[3] = {1, 0, 2}, minus_one = -1, axis = 1, zero = 0;
  float values[4 * HIDDEN * HIDDEN];
  const float zeros[BATCH * HIDDEN] = {0};
  for (int i = 0; i < 4 * HIDDEN * HIDDEN; i++) values[i] = (float)((i * 7) % 11 - 5) / 8;
  pb g = {0}, node = node_make("Transpose", "x", "tx");
  port_add(&g, 11, "x", HY_F32, in, 3);
  port_add(&g, 12, "y", HY_F32, in, -1);
  initializer_add(&g, "w", HY_F32, w, 3, values, sizeof(float) * 4 * HIDDEN * FEATURES);
  initializer_add(&g, "r", HY_F32, r, 3, values, sizeof(float) * 4 * HIDDEN * HIDDEN);
  initializer_add(&g, "h", HY_F32, h, 3, zeros, sizeof zeros);
  initializer_add(&g, "last", HY_I64, one, 0, &minus_one, 8);
  initializer_add(&g, "first", HY_I64, one, 0, &zero, 8);
  initializer_add(&g, "axis", HY_I64, one, 1, &axis, 8);
  attr_ints(&node, "perm", swap, 3);
  pb_message(&g, 1, &node);
  node = node_make("LSTM", "tx w r - - h h", outputs);
  attr_int(&node, "hidden_size", HIDDEN);
  if (*direction) {
    pb a = {0};
    pb_text(&a, 1, "direction");
    pb_text(&a, 4, direction);
    pb_message(&node, 5, &a);
  }
  pb_message(&g, 1, &node);
  node_add(&g, "Squeeze", "all axis", "s"); /* [T,B,H] */
  node = node_make("Transpose", "s", "bt");
  attr_ints(&node, "perm", swap, 3);
  pb_message(&g, 1, &node);
  return g;
}

static float sequence[BATCH * STEPS * FEATURES];
static const hy_tensor windows = {
    .data = sequence, .dtype = HY_F32, .rank = 3, .dims = {BATCH, STEPS, FEATURES}};

static void gather_at(pb *g, const char *index) {
  char inputs[32];
  snprintf(inputs, sizeof inputs, "bt %s", index);
  pb node = node_make("Gather", inputs, "y");
  attr_int(&node, "axis", 1);
  pb_message(g, 1, &node);
}

static void run_y(pb *graph, float *y, size_t n) {
  pb bytes = model_make(graph, 17);
  hy_model *m = open_bytes(&bytes);
  hy_session *s;
  hy_tensor out = {0};
  hy_error err;
  if (hy_session_create(m, NULL, &s, &err) != HY_OK ||
      hy_session_run(s, &windows, 1, &out, 1, &err) != HY_OK)
    fail_msg("%s", err.message);
  memcpy(y, out.data, n * sizeof(float));
  hy_session_destroy(s);
  hy_model_destroy(m);
  pb_free(&bytes);
}

static void the_last_step_alone(void **state) {
  (void)state;
  const char *before = "Transpose LSTM Squeeze Transpose Gather";
  float all[BATCH * STEPS * HIDDEN], last[BATCH * HIDDEN];
  for (int i = 0; i < BATCH * STEPS * FEATURES; i++) sequence[i] = (float)(i % 13) / 7 - 1;
  pb g = recurrent_graph("all", "");
  gather_at(&g, "last");
  expect_operators(&g, &windows, before, "LSTM Reshape");
  g = recurrent_graph("all", "");
  gather_at(&g, "last");
  run_y(&g, last, BATCH * HIDDEN);
  g = recurrent_graph("all", ""); /* the same over all steps, which no pass shortens */
  node_add(&g, "Identity", "bt", "y");
  run_y(&g, all, BATCH * STEPS * HIDDEN);
  for (int b = 0; b < BATCH; b++)
    assert_memory_equal(&last[b * HIDDEN], &all[(b * STEPS + STEPS - 1) * HIDDEN],
                        HIDDEN * sizeof(float));
}

static void a_reversed_layer(void **state) {
  (void)state;
  pb g = recurrent_graph("all", "reverse"); /* its last step in time is its first: not Y_h */
  gather_at(&g, "last");
  expect_operators(&g, &windows, "Transpose LSTM Squeeze Transpose Gather",
                   "Transpose LSTM Slice Reshape Transpose");
  g = recurrent_graph("all", "reverse");
  gather_at(&g, "first");
  expect_operators(&g, &windows, "Transpose LSTM Squeeze Transpose Gather", "LSTM Reshape");
}

static void another_step_or_user(void **state) {
  (void)state;
  pb g = recurrent_graph("all", "");
  gather_at(&g, "first");
  expect_operators(&g, &windows, "Transpose LSTM Squeeze Transpose Gather",
                   "Transpose LSTM Slice Reshape Transpose");
  g = recurrent_graph("all", "");
  gather_at(&g, "last");
  port_add(&g, 12, "s", HY_F32, dims_x, -1);
  expect_operators(&g, &windows, "Transpose LSTM Squeeze Transpose Gather",
                   "Transpose LSTM Squeeze Slice Transpose Reshape");
}

/* --- memory --- */

static bool apart(const hy__memory_block *a, const hy__memory_block *b) {
  if (a->first > b->last || b->first > a->last) return true;
  return a->offset + a->bytes <= b->offset || b->offset + b->bytes <= a->offset;
}

static void blocks_do_not_meet(void **state) {
  (void)state;
  enum { N = 60 };
  hy__memory_block blocks[N];
  uint32_t seed = 1;
  for (int round = 0; round < 50; round++) {
    size_t total, live_max = 0;
    for (int i = 0; i < N; i++) {
      seed = seed * 1664525u + 1013904223u;
      int32_t first = (int32_t)(seed >> 8 & 31);
      blocks[i] =
          (hy__memory_block){(seed >> 16 & 1023) + 1, first, first + (int32_t)(seed >> 27), 0};
    }
    assert_int_equal(hy__memory_plan(blocks, N, &hy__allocator_libc, &total, NULL), HY_OK);
    for (int32_t step = 0; step < 64; step++) {
      size_t live = 0;
      for (int i = 0; i < N; i++)
        if (blocks[i].first <= step && step <= blocks[i].last) live += blocks[i].bytes;
      live_max = HY_MAX(live_max, live);
    }
    assert_true(total >= live_max && total <= 2 * live_max + N * HY_ALIGN);
    for (int i = 0; i < N; i++) {
      assert_true(blocks[i].offset % HY_ALIGN == 0 && blocks[i].offset + blocks[i].bytes <= total);
      for (int j = 0; j < i; j++) assert_true(apart(&blocks[i], &blocks[j]));
    }
  }
}

static void every_pass_has_a_summary(void **state) {
  (void)state;
  assert_true(hy__pass_count() >= 3);
  for (size_t i = 0; i < hy__pass_count(); i++) {
    assert_non_null(hy__pass_at(i)->run);
    assert_true(strlen(hy__pass_at(i)->summary) > 10);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products_become_linear),  cmocka_unit_test(what_changes_nothing_goes),
      cmocka_unit_test(constants_fold),          cmocka_unit_test(halves_are_widened),
      cmocka_unit_test(the_last_step_alone),     cmocka_unit_test(a_reversed_layer),
      cmocka_unit_test(another_step_or_user),    cmocka_unit_test(blocks_do_not_meet),
      cmocka_unit_test(every_pass_has_a_summary)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
