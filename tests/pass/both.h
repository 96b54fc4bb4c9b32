/* SPDX-License-Identifier: Apache-2.0
 * A small graph with and without the passes: the operators that are left, and the numbers of both
 * plans beside each other. The graph's one input is "x", its first output is compared. */
#ifndef TESTS_PASS_BOTH_H
#define TESTS_PASS_BOTH_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/plan.h"
#include "support/onnx_writer.h"

static hy_runtime *runtime;
static hy__kernels kernels;
static int64_t both_opset = 17;

static inline int both_set_up(void **state) {
  (void)state;
  hy_runtime_options options = {.struct_size = sizeof options, .n_threads = 1};
  if (hy_runtime_create(&options, &runtime, NULL) != HY_OK) return 1;
  hy__kernels_for(hy__runtime_cpu(runtime)->mask, &kernels);
  return 0;
}

static inline int both_tear_down(void **state) {
  (void)state;
  hy_runtime_destroy(runtime);
  return 0;
}

/* The operators left after the passes, blank-separated; an asterisk for the domain "hayate". */
static inline void both_operators(const hy_model *model, const hy_tensor *in, char *text,
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
  const hy__work_source from = {
      .graph = graph, .inputs = in, .outputs = graph->outputs, .n_outputs = graph->n_outputs};
  hy_status status = hy__work_build(&w, &from, &err);
  if (status == HY_OK) status = hy__pass_run_all(&w, &err);
  if (status != HY_OK) fail_msg("%s", err.message);
  text[0] = 0;
  for (size_t i = 0; i < w.n_nodes; i++)
    if (!w.nodes[i].dead)
      used += (size_t)snprintf(text + used, n - used, "%s%s%s", used ? " " : "",
                               w.nodes[i].node.op_type, *w.nodes[i].node.domain ? "*" : "");
  hy__work_destroy(&w);
  hy__arena_destroy(arena);
}

/* The first output, which the caller frees; *n its floats. */
static inline float *both_run(const hy_model *model, const hy_tensor *x, bool plain, size_t *n) {
  const hy__graph *graph = hy__model_graph(model);
  const hy_allocator *a = hy__runtime_allocator(runtime);
  hy_tensor type = *x;
  hy__shared shared = {.allocator = a};
  hy__budget budget = {.rounds = 1 << 20};
  hy__plan *plan;
  hy_error err;
  void *memory, *ins[1] = {x->data}, *outs[8] = {0};
  type.data = NULL;
  assert_int_equal(hy__pack_store_create(a, 0, &shared.packs, NULL), HY_OK);
  assert_int_equal(hy__fold_cache_create(a, graph->n_values, 0, &shared.folds, NULL), HY_OK);
  const hy__plan_request request = {.runtime = runtime,
                                    .graph = graph,
                                    .shared = &shared,
                                    .kernels = &kernels,
                                    .inputs = &type,
                                    .outputs = graph->outputs,
                                    .n_outputs = graph->n_outputs,
                                    .budget = &budget,
                                    .plain = plain};
  if (hy__plan_create(&request, &plan, &err) != HY_OK) fail_msg("%s", err.message);
  assert_int_equal(hy__alloc_zero(a, plan->arena_bytes + 64, &memory, NULL), HY_OK);
  hy__plan_bind(plan, memory, ins, outs);
  if (hy__plan_run(plan, &err) != HY_OK) fail_msg("%s", err.message);
  const size_t bytes = hy__work_bytes(&plan->outputs[0]);
  float *y = test_malloc(bytes + 1);
  memcpy(y, plan->outputs[0].data, bytes);
  *n = bytes / sizeof(float);
  hy__free(a, memory, plan->arena_bytes + 64);
  hy__plan_destroy(plan);
  hy__pack_store_destroy(shared.packs);
  hy__fold_cache_destroy(shared.folds);
  return y;
}

/* Takes the graph. The passes leave `after`, and the numbers within `tolerance` of the largest
 * (0: the same bits). after NULL: whatever they leave. */
static inline void both_agree(pb *graph, const hy_tensor *x, const char *after, double tolerance) {
  char text[1024];
  hy_model *m;
  hy_error err;
  hy_tensor type = *x;
  pb bytes = model_make(graph, both_opset);
  size_t n = 0, n_plain = 0;
  if (hy_model_open_memory(runtime, bytes.data, bytes.n, NULL, &m, &err) != HY_OK)
    fail_msg("%s", err.message);
  type.data = NULL;
  both_operators(m, &type, text, sizeof text);
  if (after) assert_string_equal(text, after);
  float *rewritten = both_run(m, x, false, &n), *plain = both_run(m, x, true, &n_plain);
  double largest = 0;
  assert_int_equal(n, n_plain);
  for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)plain[i]));
  assert_true(largest > 0);
  for (size_t i = 0; i < n; i++)
    if (!(fabs((double)rewritten[i] - (double)plain[i]) <= tolerance * largest))
      fail_msg("element %zu is %g, without passes %g", i, (double)rewritten[i], (double)plain[i]);
  test_free(rewritten);
  test_free(plain);
  hy_model_destroy(m);
  pb_free(&bytes);
}

/* --- graphs --- */

/* Numbers that are not alike. */
static inline void both_fill(float *x, size_t n, uint32_t seed) {
  for (size_t i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    x[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
  }
}

static inline void both_weights(pb *g, const char *name, const int64_t *dims, int rank) {
  size_t n = 1;
  for (int d = 0; d < rank; d++) n *= (size_t)dims[d];
  float *values = test_malloc(n * sizeof(float));
  both_fill(values, n, (uint32_t)(n * 7 + (size_t)name[0]));
  initializer_add(g, name, HY_F32, dims, rank, values, n * sizeof(float));
  test_free(values);
}

static inline void both_ints(pb *g, const char *name, const int64_t *values, int n) {
  const int64_t dims[1] = {n};
  initializer_add(g, name, HY_I64, dims, 1, values, (size_t)n * 8);
}

static inline void both_index(pb *g, const char *name, int64_t value) {
  initializer_add(g, name, HY_I64, NULL, 0, &value, 8);
}

static inline void both_ports(pb *g, const hy_tensor *x) {
  port_add(g, 11, "x", HY_F32, x->dims, x->rank);
  port_add(g, 12, "y", HY_F32, NULL, -1);
}

static inline void both_node_ints(pb *g, const char *op, const char *in, const char *out,
                                  const char *name, const int64_t *values, size_t n) {
  pb node = node_make(op, in, out);
  attr_ints(&node, name, values, n);
  pb_message(g, 1, &node);
}

static inline void both_node_int(pb *g, const char *op, const char *in, const char *out,
                                 const char *name, int64_t value) {
  pb node = node_make(op, in, out);
  attr_int(&node, name, value);
  pb_message(g, 1, &node);
}

#endif
