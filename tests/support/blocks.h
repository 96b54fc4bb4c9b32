/* SPDX-License-Identifier: Apache-2.0
 * A model's plan for a batch run at once, and run in blocks of rows of several sizes, by one thread
 * and by workers: the bits beside each other. */
#ifndef TESTS_SUPPORT_BLOCKS_H
#define TESTS_SUPPORT_BLOCKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "engine/plan.h"
#include "support/onnx_writer.h"

enum { PORTS_MAX = 192, WORKERS = 3 };

static hy_runtime *runtime;
static hy__kernels kernels;
static hy__pool *pool;

static inline int set_up(void **state) {
  (void)state;
  hy_runtime_options options = {.struct_size = sizeof options, .n_threads = 1};
  if (hy_runtime_create(&options, &runtime, NULL) != HY_OK) return 1;
  hy__kernels_for(hy__runtime_cpu(runtime)->mask, &kernels);
  return hy__pool_create(hy__runtime_allocator(runtime), WORKERS, WORKERS, false, &pool, NULL);
}

static inline int tear_down(void **state) {
  (void)state;
  hy__pool_destroy(pool);
  hy_runtime_destroy(runtime);
  return 0;
}

/* A plan of the model for these inputs, run once. */
typedef struct ran {
  hy__shared shared;
  hy__plan *plan; /* NULL: it cannot be planned, or the run refused */
  void *memory;
  size_t bytes;
} ran;

static inline ran plan_run(const hy_model *model, const hy_tensor *in, size_t rows,
                           hy__pool *workers) {
  const hy__graph *graph = hy__model_graph(model);
  const hy_allocator *a = hy__runtime_allocator(runtime);
  ran r = {.shared = {.allocator = a}};
  hy__budget budget = {.rounds = 1 << 20};
  hy_tensor types[PORTS_MAX];
  void *ins[PORTS_MAX], *outs[PORTS_MAX] = {0};
  hy_error err;
  for (size_t k = 0; k < graph->n_inputs; k++) {
    types[k] = in[k];
    ins[k] = in[k].data;
  }
  assert_int_equal(hy__pack_store_create(a, 0, &r.shared.packs, NULL), HY_OK);
  assert_int_equal(hy__fold_cache_create(a, graph->n_values, 0, &r.shared.folds, NULL), HY_OK);
  const hy__plan_request request = {.runtime = runtime,
                                    .graph = graph,
                                    .shared = &r.shared,
                                    .kernels = &kernels,
                                    .pool = workers,
                                    .inputs = types,
                                    .outputs = graph->outputs,
                                    .n_outputs = graph->n_outputs,
                                    .block_rows = rows,
                                    .budget = &budget};
  if (hy__plan_create(&request, &r.plan, &err) != HY_OK) {
    r.plan = NULL;
    return r;
  }
  r.bytes = r.plan->arena_bytes;
  assert_int_equal(hy__alloc_zero(a, r.bytes + 1, &r.memory, NULL), HY_OK);
  hy__plan_bind(r.plan, r.memory, ins, outs);
  if (hy__plan_run(r.plan, &err) != HY_OK) fail_msg("%s", err.message);
  return r;
}

static inline void ran_close(ran *r) {
  hy__free(hy__runtime_allocator(runtime), r->memory, r->memory ? r->bytes + 1 : 0);
  hy__plan_destroy(r->plan);
  hy__pack_store_destroy(r->shared.packs);
  hy__fold_cache_destroy(r->shared.folds);
}

static inline bool same_bits(const hy_tensor *a, const hy_tensor *b) {
  if (a->rank != b->rank || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) != 0)
    return false;
  const size_t n = hy__work_bytes(a);
  if (a->dtype != HY_STRING) return n == 0 || memcmp(a->data, b->data, n) == 0;
  const hy_string *x = a->data, *y = b->data;
  for (size_t i = 0; i < n / sizeof *x; i++)
    if (x[i].len_bytes != y[i].len_bytes || memcmp(x[i].data, y[i].data, x[i].len_bytes) != 0)
      return false;
  return true;
}

/* Is the batch run in blocks of `rows`? Then its bits are those of `whole`. */
static inline bool in_blocks(const hy_model *model, const hy_tensor *in, const ran *whole,
                             size_t rows, hy__pool *workers, const char *name) {
  ran r = plan_run(model, in, rows, workers);
  assert_non_null(r.plan);
  const bool blocks = r.plan->blocks != NULL;
  if (blocks) assert_true(r.plan->blocks->rows <= rows);
  for (size_t k = 0; k < r.plan->n_outputs; k++)
    if (!same_bits(&r.plan->outputs[k], &whole->plan->outputs[k]))
      fail_msg("%s: output %zu in blocks of %zu differs", name, k, rows);
  ran_close(&r);
  return blocks;
}

/* Is it run in blocks, if these are asked for? */
static inline bool every_way(const hy_model *model, const hy_tensor *in, const char *name) {
  static const size_t rows[] = {1, 3, 8, 100};
  ran whole = plan_run(model, in, HY__PLAN_WHOLE, NULL);
  bool blocks = false;
  for (size_t i = 0; whole.plan && i < sizeof rows / sizeof *rows; i++) {
    blocks = in_blocks(model, in, &whole, rows[i], NULL, name) || blocks;
    blocks = in_blocks(model, in, &whole, rows[i], pool, name) || blocks;
  }
  if (whole.plan) assert_null(whole.plan->blocks);
  ran_close(&whole);
  return blocks;
}

#endif
