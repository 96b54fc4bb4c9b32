/* SPDX-License-Identifier: Apache-2.0
 * Recurrent models whole: what passes make of layers upon each other and of bidirectional ones read
 * at one end has the bits that the layers have one by one, alone and in a batch, on one thread and
 * on several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "engine/plan.h"
#include "support/onnx_writer.h"

enum { STEPS = 13, FEATURES = 8, HIDDEN = 56, BATCH_MAX = 45, NAME_MAX = 24 };

typedef enum head { LAST, FIRST, ALL } head;

typedef struct config {
  const char *kind;
  int gates, layers, directions, before_reset;
  head head;
} config;

static void weights_add(pb *g, const char *name, int64_t d, int64_t rows, int64_t columns,
                        unsigned seed) {
  static float values[2 * 4 * HIDDEN * 2 * HIDDEN];
  const int64_t dims[3] = {d, rows, columns};
  const size_t n = (size_t)(d * rows * columns);
  assert_true(n <= sizeof values / sizeof *values);
  for (size_t i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = ((float)(seed >> 8) / (float)(1 << 24) - 0.5f) * 0.4f;
  }
  initializer_add(g, name, HY_F32, dims, columns == 1 ? 2 : 3, values, n * sizeof(float));
}

/* Layer l from value `in` ([time, batch, ..]) to "s<l>". */
static void layer_add(pb *g, const config *q, int l, const char *in) {
  static const int64_t turn[4] = {0, 2, 1, 3}, joined[3] = {0, 0, -1};
  char inputs[4 * NAME_MAX], y[NAME_MAX], s[NAME_MAX], w[NAME_MAX], name[NAME_MAX];
  const int64_t D = q->directions, gh = q->gates * HIDDEN;
  const int64_t features = l ? HIDDEN * D : FEATURES;
  snprintf(inputs, sizeof inputs, "%s w%d r%d b%d", in, l, l, l);
  snprintf(y, sizeof y, "y%d", l);
  snprintf(s, sizeof s, "s%d", l);
  snprintf(w, sizeof w, "w%d", l);
  weights_add(g, w, D, gh, features, (unsigned)l + 1);
  w[0] = 'r';
  weights_add(g, w, D, gh, HIDDEN, (unsigned)l + 11);
  w[0] = 'b';
  weights_add(g, w, D, 2 * gh, 1, (unsigned)l + 21);
  pb node = node_make(q->kind, inputs, y);
  attr_int(&node, "hidden_size", HIDDEN);
  if (q->before_reset) attr_int(&node, "linear_before_reset", 1);
  if (D == 2) {
    pb a = {0};
    pb_text(&a, 1, "direction");
    pb_text(&a, 4, "bidirectional");
    pb_int(&a, 20, 3);
    pb_message(&node, 5, &a);
  }
  pb_message(g, 1, &node);
  if (D == 1) {
    snprintf(inputs, sizeof inputs, "%s one", y);
    node_add(g, "Squeeze", inputs, s);
    return;
  }
  snprintf(name, sizeof name, "t%d", l);
  node = node_make("Transpose", y, name);
  attr_ints(&node, "perm", turn, 4);
  pb_message(g, 1, &node);
  const int64_t three[1] = {3};
  if (!l) initializer_add(g, "joined", HY_I64, three, 1, joined, sizeof joined);
  snprintf(inputs, sizeof inputs, "%s joined", name);
  node_add(g, "Reshape", inputs, s);
}

/* With `open` the values between layers are outputs too, and no pass joins or shortens them. */
static pb model_of(const config *q, bool open) {
  const int64_t in[3] = {-1, STEPS, FEATURES}, swap[3] = {1, 0, 2}, one[1] = {1}, axis = 1;
  const int64_t index = q->head == LAST ? -1 : 0;
  char from[NAME_MAX] = "tx", name[NAME_MAX];
  pb g = {0}, node = node_make("Transpose", "x", "tx");
  port_add(&g, 11, "x", HY_F32, in, 3);
  port_add(&g, 12, q->head == ALL ? "bt" : "y", HY_F32, in, -1);
  initializer_add(&g, "one", HY_I64, one, 1, &axis, 8);
  initializer_add(&g, "index", HY_I64, one, 0, &index, 8);
  attr_ints(&node, "perm", swap, 3);
  pb_message(&g, 1, &node);
  for (int l = 0; l < q->layers; l++) {
    layer_add(&g, q, l, from);
    snprintf(from, sizeof from, "s%d", l);
    snprintf(name, sizeof name, "y%d", l);
    if (open) port_add(&g, 12, name, HY_F32, in, -1);
  }
  node = node_make("Transpose", from, "bt");
  attr_ints(&node, "perm", swap, 3);
  pb_message(&g, 1, &node);
  node = node_make("Gather", "bt index", "y");
  attr_int(&node, "axis", 1);
  pb_message(&g, 1, &node);
  return model_make(&g, 17);
}

static float x_data[BATCH_MAX * STEPS * FEATURES];

static size_t run(hy_runtime *runtime, const pb *bytes, uint32_t n_threads, int64_t batch,
                  float *out, char *operators) {
  hy_model *m;
  hy_session *s;
  hy_error err;
  hy_tensor in = {.data = x_data, .dtype = HY_F32, .rank = 3, .dims = {batch, STEPS, FEATURES}};
  hy_tensor y[4] = {0};
  hy_session_options options = {.struct_size = sizeof options, .n_threads = n_threads};
  if (hy_model_open_memory(runtime, bytes->data, bytes->n, NULL, &m, &err) != HY_OK ||
      hy_session_create(m, &options, &s, &err) != HY_OK)
    fail_msg("%s", err.message);
  for (int round = 0; round < 2; round++) /* the second walks backwards */
    if (hy_session_run(s, &in, 1, y, hy_session_n_outputs(s), &err) != HY_OK)
      fail_msg("%s", err.message);
  size_t n = 1;
  for (int32_t d = 0; d < y[0].rank; d++) n *= (size_t)y[0].dims[d];
  memcpy(out, y[0].data, n * sizeof(float));
  const hy__plan *plan = hy__session_plan(s);
  operators[0] = 0;
  for (size_t i = 0; i < plan->n_steps; i++) {
    const hy__op *op = plan->infos[i].op;
    if (!op || (strcmp(op->name, "Reshape") != 0 && strcmp(op->name, "Concat") != 0))
      snprintf(operators + strlen(operators), 60, " %s", op ? op->name : "copy");
  }
  hy_session_destroy(s);
  hy_model_destroy(m);
  return n;
}

/* All threads and batches against the layers one by one, a row at a time. */
static void check(hy_runtime *runtime, const config *q, const char *expected) {
  static const int64_t batches[] = {1, 3, 20, BATCH_MAX};
  static float alone[BATCH_MAX * STEPS * 2 * HIDDEN], got[BATCH_MAX * STEPS * 2 * HIDDEN];
  char operators[512];
  pb open = model_of(q, true), closed = model_of(q, false);
  size_t each = 0;
  for (size_t row = 0; row < BATCH_MAX; row++) { /* x_data is a row's window after another */
    static float kept[sizeof x_data / sizeof *x_data];
    memcpy(kept, x_data, sizeof kept);
    memmove(x_data, x_data + row * STEPS * FEATURES, STEPS * FEATURES * sizeof(float));
    each = run(runtime, &open, 1, 1, got, operators);
    memcpy(alone + row * each, got, each * sizeof(float));
    memcpy(x_data, kept, sizeof kept);
  }
  for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
    for (uint32_t threads = 1; threads <= 3; threads++) {
      const size_t n = run(runtime, &closed, threads, batches[b], got, operators);
      assert_int_equal(n, each * (size_t)batches[b]);
      if (memcmp(got, alone, n * sizeof(float)) != 0)
        fail_msg("%s layers %d directions %d head %d: batch %d, %u threads give other bits",
                 q->kind, q->layers, q->directions, q->head, (int)batches[b], threads);
      if (batches[b] == BATCH_MAX) assert_string_equal(operators, expected);
    }
  }
  pb_free(&open);
  pb_free(&closed);
}

static void layers_keep_their_bits(void **state) {
  static const struct {
    config q;
    const char *operators;
  } cases[] = {
      {{"LSTM", 4, 2, 1, 0, LAST}, " RecurrentStack"},
      {{"LSTM", 4, 3, 1, 0, ALL}, " RecurrentStack Transpose"},
      {{"LSTM", 4, 2, 1, 0, FIRST}, " RecurrentStack Slice"},
      {{"GRU", 3, 2, 1, 1, LAST}, " RecurrentStack"},
      {{"GRU", 3, 3, 1, 0, LAST}, " RecurrentStack"},
      {{"RNN", 1, 2, 1, 0, LAST}, " RecurrentStack"},
      {{"LSTM", 4, 1, 2, 0, LAST}, " LSTM Slice LSTM"},
      {{"GRU", 3, 1, 2, 1, FIRST}, " GRU Slice GRU"},
      {{"GRU", 3, 2, 2, 0, LAST}, " Transpose GRU Transpose GRU Slice GRU"},
      {{"LSTM", 4, 1, 2, 0, ALL}, " Transpose LSTM Transpose Transpose"},
  };
  hy_runtime *runtime;
  hy_runtime_options options = {.struct_size = sizeof options, .n_threads = 1};
  (void)state;
  assert_int_equal(hy_runtime_create(&options, &runtime, NULL), HY_OK);
  for (size_t i = 0; i < sizeof x_data / sizeof *x_data; i++)
    x_data[i] = (float)((i * 37) % 101) / 50 - 1;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check(runtime, &cases[i].q, cases[i].operators);
  hy_runtime_destroy(runtime);
}

/* A layer over constants is folded, by a step that has no workers. */
static void constants_fold(void **state) {
  static float values[STEPS * BATCH_MAX * FEATURES];
  const config q = {"LSTM", 4, 1, 2, 0, ALL};
  const int64_t dims[3] = {STEPS, BATCH_MAX, FEATURES}, open[4] = {-1, -1, -1, -1};
  const int64_t one[1] = {1}, axis = 1;
  hy_runtime *runtime;
  hy_model *m;
  hy_session *s;
  hy_tensor y = {0};
  pb g = {0};
  (void)state;
  port_add(&g, 12, "s0", HY_F32, open, -1);
  initializer_add(&g, "k", HY_F32, dims, 3, values, sizeof values);
  initializer_add(&g, "one", HY_I64, one, 1, &axis, 8);
  layer_add(&g, &q, 0, "k");
  pb bytes = model_make(&g, 17);
  hy_session_options options = {.struct_size = sizeof options, .n_threads = 2};
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  assert_int_equal(hy_model_open_memory(runtime, bytes.data, bytes.n, NULL, &m, NULL), HY_OK);
  assert_int_equal(hy_session_create(m, &options, &s, NULL), HY_OK);
  assert_int_equal(hy_session_run(s, NULL, 0, &y, 1, NULL), HY_OK);
  assert_int_equal(y.dims[2], 2 * HIDDEN);
  hy_session_destroy(s);
  hy_model_destroy(m);
  hy_runtime_destroy(runtime);
  pb_free(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(layers_keep_their_bits),
                                     cmocka_unit_test(constants_fold)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
