/* SPDX-License-Identifier: Apache-2.0
 * The façade of the pass room: the working graph that a plan is made from. The engine builds it for
 * concrete input shapes (types inferred, known values folded, branches with a known condition
 * taken), the passes of pass.inc rewrite it, and what is still needed is lowered into steps. Values
 * and nodes live in the plan's arena; ids are indices. Node order is an execution order. */
#ifndef HY_PASS_PASS_H
#define HY_PASS_PASS_H

#include "op/op.h"

typedef struct hy__work_value {
  hy_tensor t;                 /* data non-NULL: the value is known */
  const char *name;            /* for messages */
  int32_t forward;             /* replaced by this value, else -1 */
  int32_t uses;                /* by live nodes and the outputs; hy__work_count */
  int32_t producer;            /* the live node that makes it, else -1; hy__work_count */
  int32_t user;                /* the first live node that reads it, else -1; hy__work_count */
  int32_t wide;                /* a half value's cast to f32, else -1 */
  bool stable;                 /* known, and lives as long as the model */
  const hy__node *dequantised; /* known, and made by this DequantizeLinear; else NULL */
} hy__work_value;

typedef struct hy__work_node {
  hy__node node; /* inputs and outputs are ids of this graph */
  const hy__op *op;
  size_t n_captured; /* the last of the node's inputs: what its subgraphs read from around them */
  bool dead;
} hy__work_node;

/* Values that depend on constants alone are folded once per model and kept with it. */
typedef struct hy__fold_cache hy__fold_cache;

typedef struct hy__work {
  const hy_runtime *runtime;
  const hy_allocator *allocator;
  hy__arena *arena;
  const hy__kernels *kernels;
  hy__pool *pool; /* of the session; may be NULL */
  hy__packs *packs;
  hy__fold_cache *folds; /* may be NULL */
  hy__op_host *host;     /* of subgraphs; may be NULL */
  void *scratch;         /* of views */
  size_t scratch_bytes;
  hy__work_value *values;
  size_t n_values, values_capacity;
  hy__work_node *nodes;
  size_t n_nodes, nodes_capacity;
  bool unordered;  /* nodes were added behind their users: hy__work_sort */
  int32_t *inputs; /* per graph input; HY__ABSENT where nothing needs it */
  size_t n_inputs;
  int32_t *outputs;
  size_t n_outputs;
  size_t *rewrites;    /* per pass, counted up where it is not NULL */
  size_t max_elements; /* of one tensor; 0: as many as there are */
  int64_t deadline_ns; /* of the monotonic clock; 0: none */
} hy__work;

/* Builds the graph for `inputs` (dtype, rank, dims, and data where a value is taken as known; one
 * per graph input, then one per captured value) and the wanted value ids of the graph. The caller
 * has set runtime, allocator, arena, kernels, packs. Errors name the node: UNSUPPORTED (operator,
 * or a shape that depends on data), BAD_FORMAT, LIMIT. */
typedef struct hy__work_source {
  const hy__graph *graph;
  const hy_tensor *inputs;
  const bool *stable; /* per input: its data lives as long as the model; NULL: none does */
  const int32_t *outputs;
  size_t n_outputs;
} hy__work_source;
HY_CHECKED hy_status hy__work_build(hy__work *w, const hy__work_source *source, hy_error *err);
void hy__work_destroy(hy__work *w); /* what is not in the arena */

/* Marks the source nodes that `outputs` need: needed[n] per node. */
void hy__work_needed(const hy__graph *graph, const int32_t *outputs, size_t n_outputs,
                     bool *needed);
/* Refuses needed nodes whose operator is unknown: UNSUPPORTED with operator, domain, opset, node.
 */
HY_CHECKED hy_status hy__work_check_ops(const hy__graph *graph, const bool *needed, hy_error *err);

/* --- for passes and lowering --- */
size_t hy__work_bytes(const hy_tensor *t);
HY_CHECKED hy_status hy__work_value_new(hy__work *w, const hy_tensor *t, const char *name,
                                        int32_t *id, hy_error *err);
/* Counts uses, finds producers, kills nodes that nobody needs, and resolves forwards. */
void hy__work_count(hy__work *w);
/* Every use of `from` becomes a use of `to` at the next count. */
void hy__work_forward(hy__work *w, int32_t from, int32_t to);
/* Node `n` becomes this operator over these values, its outputs kept, its name too; attributes in
 * the arena. *done false, and nothing changed, where the operator has no row, refuses, or would
 * give the outputs another type or shape. */
typedef struct hy__work_rewrite {
  const char *domain, *op_type;
  int32_t version;
  const int32_t *inputs;
  size_t n_inputs;
  const hy__attr *attrs;
  size_t n_attrs;
  const int32_t *outputs; /* NULL: the node's own */
  size_t n_outputs;
} hy__work_rewrite;
HY_CHECKED hy_status hy__work_replace(hy__work *w, int32_t n, const hy__work_rewrite *to,
                                      bool *done, hy_error *err);

/* A new node with the name of node `like`, of one output, or of those listed, which are new values;
 * a known result is worked out at once and no node made. *out: the first output, HY__ABSENT where
 * the operator has no row or refuses. The node stands behind all others until the driver sorts them
 * after the pass; places of nodes change then. */
HY_CHECKED hy_status hy__work_add(hy__work *w, int32_t like, const hy__work_rewrite *node,
                                  int32_t *out, hy_error *err);
/* Puts the nodes in an execution order, the old one where it can stay, and drops dead ones. */
HY_CHECKED hy_status hy__work_sort(hy__work *w, hy_error *err);

/* What an operator is asked about a node, after arity and types are checked and `infer` has run.
 * The view's arrays are scratch of w, valid until the next view. */
HY_CHECKED hy_status hy__work_view(hy__work *w, const hy__work_node *node, hy__op_plan *view,
                                   hy_error *err);
/* Puts "node 'name' (Op): " before the message and the node's place beside it. */
hy_status hy__work_blame(const hy__node *node, hy_status status, hy_error *err);

/* The passes in the order of pass.inc, again until none changes anything (a bound of rounds). */
typedef hy_status (*hy__pass_fn)(hy__work *w, size_t *n_rewrites, hy_error *err);
typedef struct hy__pass {
  const char *name, *summary;
  hy__pass_fn run;
} hy__pass;
size_t hy__pass_count(void);
const hy__pass *hy__pass_at(size_t index);
HY_CHECKED hy_status hy__pass_run_all(hy__work *w, hy_error *err);

/* Memory: blocks with lifetimes to offsets in one arena; blocks whose lifetimes meet do not
 * overlap. */
typedef struct hy__memory_block {
  size_t bytes;
  int32_t first, last; /* steps, both included */
  size_t offset;       /* the answer, a multiple of HY_ALIGN */
} hy__memory_block;
HY_CHECKED hy_status hy__memory_plan(hy__memory_block *blocks, size_t n, const hy_allocator *a,
                                     size_t *total, hy_error *err);

/* n_values: of the model's graph. Shared by sessions: locks inside. */
HY_CHECKED hy_status hy__fold_cache_create(const hy_allocator *a, size_t n_values, size_t max_bytes,
                                           hy__fold_cache **out, hy_error *err);
/* Which folded value lies there; SIZE_MAX: none. Stable for a model. */
size_t hy__fold_cache_find(hy__fold_cache *cache, const void *data);
void hy__fold_cache_destroy(hy__fold_cache *cache);

#endif
