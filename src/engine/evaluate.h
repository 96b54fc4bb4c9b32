/* SPDX-License-Identifier: Apache-2.0
 * Evaluating a graph node by node, where it cannot be planned as a whole: a shape depends on data,
 * or there are sequences and optionals. Each node is planned by itself for the types that it gets
 * (and, if need be, the values), run, and its inputs dropped after their last use. Such plans are
 * kept, and so are those of whole bodies, so that a Loop whose shapes stay is not planned again
 * each round. */
#ifndef HY_ENGINE_EVALUATE_H
#define HY_ENGINE_EVALUATE_H

#include "engine/plan.h"

enum {
  HY__FRAME_PLANS = 4,
  HY__FRAME_FIXED = INT32_MAX,   /* a constant */
  HY__FRAME_KEPT = INT32_MAX - 1 /* an output */
};

/* A node as a graph of its own. */
typedef struct hy__single {
  hy__graph graph;
  int32_t *sources; /* per input of the graph: the value around it */
  hy__plan *plan;
  hy__plan_values values; /* what it had to know the last time */
} hy__single;

typedef struct hy__frame_node {
  hy__op_evaluate_fn fn; /* NULL: planned */
  const hy__op *op;
  hy__single *single;
} hy__frame_node;

/* A graph being evaluated: made once, its slots filled in each run. */
typedef struct hy__frame {
  const hy__graph *graph;
  struct hy__frame *outer, *next; /* next: of the evaluator's list */
  const int32_t *outputs;
  size_t n_outputs, n_in;   /* n_in: inputs, then captured values */
  size_t n_values, n_nodes; /* of the graph, which may be gone when this is destroyed */
  int32_t *captured;        /* the graph's own ids of those */
  hy__item **slots;         /* per value */
  int32_t *last;            /* per value: the node that uses it last, FIXED, KEPT; -1: none */
  bool *needed;             /* per node */
  hy__frame_node *nodes;
  hy__plan *plans[HY__FRAME_PLANS]; /* of the whole graph */
  size_t n_plans, oldest;
  bool unplannable;
} hy__frame;

typedef struct hy__evaluator {
  hy__plan_request common; /* runtime, shared, kernels, budget */
  const hy_allocator *allocator;
  hy__arena *arena;
  hy__items items;
  hy__frame *frames, *main;
  void *memory; /* what plans run in, one at a time */
  size_t memory_bytes;
  void **pointers; /* of inputs and outputs, while a plan is bound */
  hy_tensor *types;
  bool *stable;
  size_t n_pointers;
} hy__evaluator;

typedef struct hy__evaluator_options {
  hy__plan_request common;
  const hy__graph *graph;
  const int32_t *outputs;
  size_t n_outputs, max_bytes;
} hy__evaluator_options;

HY_CHECKED hy_status hy__evaluator_create(const hy__evaluator_options *options, hy__evaluator **out,
                                          hy_error *err);
void hy__evaluator_destroy(hy__evaluator *e);
/* Takes the references of `in` (one per input of the graph), even on failure; gives one per output.
 */
HY_CHECKED hy_status hy__evaluator_run(hy__evaluator *e, hy__item **in, hy__item **out,
                                       hy_error *err);

/* frame.c */
HY_CHECKED hy_status hy__frame_make(hy__evaluator *e, const hy__graph *graph, hy__frame *outer,
                                    hy__frame **out, hy_error *err);
HY_CHECKED hy_status hy__frame_single(hy__evaluator *e, const hy__frame *frame, size_t n,
                                      hy__single **out, hy_error *err);

/* evaluate_plan.c: a plan that fits these inputs, among the kept or made now; then its run. */
typedef struct hy__eval_call {
  const hy__graph *graph;
  const int32_t *outputs;
  size_t n_outputs;
  hy__item *const *in; /* tensors */
  size_t n_in;
  hy__plan_values values;
} hy__eval_call;
bool hy__eval_fits(const hy__plan *plan, const hy__eval_call *call);
HY_CHECKED hy_status hy__eval_plan(hy__evaluator *e, const hy__eval_call *call, hy__plan **out,
                                   hy_error *err);
HY_CHECKED hy_status hy__eval_run(hy__evaluator *e, hy__plan *plan, hy__item *const *in,
                                  hy__item **out, hy_error *err);
HY_CHECKED hy_status hy__eval_room(hy__evaluator *e, size_t n, hy_error *err);

#endif
