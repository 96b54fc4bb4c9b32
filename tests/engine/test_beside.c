/* SPDX-License-Identifier: Apache-2.0
 * Branches side by side: long recurrent layers that need not wait for each other run on the
 * session's threads at once, with the bits of one thread; short ones, layers upon each other and
 * sessions of one thread stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/plan.h"
#include "support/onnx_writer.h"

enum { FEATURES = 8, HIDDEN = 64, GATES = 3, STEPS_MAX = 200, BRANCHES_MAX = 3, NAME_MAX = 16 };

static void weights_add(pb *g, const char *kind, int index, int64_t rows, int64_t columns) {
  static float values[GATES * HIDDEN * HIDDEN];
  char name[NAME_MAX];
  const int64_t dims[3] = {1, rows, columns};
  unsigned seed = (unsigned)(kind[0] * 31 + index);
  for (int64_t i = 0; i < rows * columns; i++) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = ((float)(seed >> 8) / (float)(1 << 24) - 0.5f) * 0.3f;
  }
  snprintf(name, sizeof name, "%s%d", kind, index);
  initializer_add(g, name, HY_F32, dims, 3, values, (size_t)(rows * columns) * sizeof(float));
}

static void gru_add(pb *g, int index, const char *in, int64_t features, const char *outputs) {
  char inputs[3 * NAME_MAX];
  weights_add(g, "w", index, GATES * HIDDEN, features);
  weights_add(g, "r", index, GATES * HIDDEN, HIDDEN);
  snprintf(inputs, sizeof inputs, "%s w%d r%d", in, index, index);
  pb node = node_make("GRU", inputs, outputs);
  attr_int(&node, "hidden_size", HIDDEN);
  pb_message(g, 1, &node);
}

/* Branch after branch: two layers with a Relu between; then all last states side by side. */
static pb model_of(int n_branches, int64_t steps) {
  char name[NAME_MAX], inputs[2 * NAME_MAX], states[BRANCHES_MAX * NAME_MAX] = "";
  const int64_t one[1] = {1}, axis = 1, open[4] = {-1, -1, -1, -1};
  pb g = {0};
  initializer_add(&g, "axis", HY_I64, one, 1, &axis, 8);
  for (int b = 0; b < n_branches; b++) {
    const int64_t dims[3] = {steps + 40 * b, 1, FEATURES};
    snprintf(name, sizeof name, "x%d", b);
    port_add(&g, 11, name, HY_F32, dims, 3);
    snprintf(inputs, sizeof inputs, "y%d", b);
    gru_add(&g, 2 * b, name, FEATURES, inputs);
    snprintf(inputs, sizeof inputs, "y%d axis", b);
    snprintf(name, sizeof name, "s%d", b);
    node_add(&g, "Squeeze", inputs, name);
    snprintf(inputs, sizeof inputs, "a%d", b);
    node_add(&g, "Relu", name, inputs);
    snprintf(name, sizeof name, "- h%d", b);
    gru_add(&g, 2 * b + 1, inputs, HIDDEN, name);
    snprintf(states + strlen(states), sizeof states - strlen(states), "%sh%d", b ? " " : "", b);
  }
  port_add(&g, 12, "y", HY_F32, open, -1);
  pb node = node_make("Concat", states, "y");
  attr_int(&node, "axis", 2);
  pb_message(&g, 1, &node);
  return model_make(&g, 17);
}

typedef struct made {
  float y[2][BRANCHES_MAX * HIDDEN]; /* of two inputs */
  size_t n_groups, n_beside;
} made;

static void count_groups(const hy__plan *plan, made *m) {
  for (size_t i = 0; i < plan->n_steps; i++) {
    if (!plan->infos[i].beside) continue;
    m->n_beside++;
    m->n_groups += plan->infos[i].group_end == i + 1;
  }
}

static made run(hy_runtime *runtime, const pb *bytes, int n_branches, int64_t steps,
                uint32_t n_threads) {
  static float x[STEPS_MAX * FEATURES + 7];
  hy_tensor in[BRANCHES_MAX], y = {0};
  hy_model *model;
  hy_session *s;
  hy_error err;
  made m = {.n_groups = 0};
  const hy_session_options options = {.struct_size = sizeof options, .n_threads = n_threads};
  for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (float)((i * 37) % 101) / 50 - 1;
  if (hy_model_open_memory(runtime, bytes->data, bytes->n, NULL, &model, &err) != HY_OK ||
      hy_session_create(model, &options, &s, &err) != HY_OK)
    fail_msg("%s", err.message);
  for (int round = 0; round < 6; round++) { /* forwards and backwards through the weights */
    for (int b = 0; b < n_branches; b++)
      in[b] = (hy_tensor){.data = x + (round & 1) * 7,
                          .dtype = HY_F32,
                          .rank = 3,
                          .dims = {steps + 40 * b, 1, FEATURES}};
    y.data = NULL;
    if (hy_session_run(s, in, (size_t)n_branches, &y, 1, &err) != HY_OK)
      fail_msg("%s", err.message);
    assert_int_equal(y.dims[2], n_branches * HIDDEN);
    float *to = m.y[round & 1];
    if (round > 1) assert_memory_equal(to, y.data, (size_t)n_branches * HIDDEN * sizeof(float));
    memcpy(to, y.data, (size_t)n_branches * HIDDEN * sizeof(float));
  }
  count_groups(hy__session_plan(s), &m);
  hy_session_destroy(s);
  hy_model_destroy(model);
  return m;
}

static void check(int n_branches, int64_t steps, size_t n_groups) {
  hy_runtime *runtime;
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  pb bytes = model_of(n_branches, steps);
  const made alone = run(runtime, &bytes, n_branches, steps, 1);
  assert_int_equal(alone.n_beside, 0);
  assert_true(memcmp(alone.y[0], alone.y[1], sizeof alone.y[0]) != 0);
  for (uint32_t n_threads = 2; n_threads <= 4; n_threads++) {
    const made m = run(runtime, &bytes, n_branches, steps, n_threads);
    assert_int_equal(m.n_groups, n_groups);
    assert_int_equal(m.n_beside, n_groups * (size_t)n_branches);
    assert_memory_equal(m.y, alone.y, sizeof m.y);
  }
  pb_free(&bytes);
  hy_runtime_destroy(runtime);
}

static void long_branches_run_at_once(void **state) {
  (void)state;
  check(3, 120, 2);
  check(2, 120, 2);
}

static void short_ones_do_not(void **state) {
  (void)state;
  check(2, 3, 0);
}

static void layers_upon_each_other_do_not(void **state) {
  (void)state;
  check(1, 160, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(long_branches_run_at_once),
                                     cmocka_unit_test(short_ones_do_not),
                                     cmocka_unit_test(layers_upon_each_other_do_not)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
