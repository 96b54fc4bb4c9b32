/* SPDX-License-Identifier: Apache-2.0
 * A plan: the steps of a model for concrete input shapes, and where their operands lie. Frozen once
 * made; bound to memory before it runs. */
#ifndef HY_ENGINE_PLAN_H
#define HY_ENGINE_PLAN_H

#include <hayate/session.h>

#include "pass/pass.h"

/* What sessions of one model share. */
typedef struct hy__shared {
  const hy_allocator *allocator;
  hy__pack_store *packs;
  hy__fold_cache *folds;
  const hy_model *model;
  hy__pack_given *given; /* by the model's container; in its mapping */
  size_t n_given;
} hy__shared;

/* Packed weights of the model's container for the runtime's instruction set, if it has them and
 * they are of this build's form. Errors: BAD_FORMAT. */
HY_CHECKED hy_status hy__shared_give(hy__shared *shared, hy_error *err);
void hy__shared_take_back(hy__shared *shared);
/* Names a source of packed weights: a hy__pack_key_fn, ctx a hy__shared. */
uint64_t hy__shared_key(void *ctx, const void *source);
hy__shared *hy__session_shared(const hy_session *session);

/* A pointer that is set when the plan is bound: into the arena, or to a caller's input or output.
 */
typedef struct hy__bind {
  void **slot;
  size_t offset;  /* in the arena */
  int32_t caller; /* -1: the arena; k: input k; n_inputs + k: output k */
} hy__bind;

/* What a step came from, for reports. */
typedef struct hy__step_info {
  const hy__op *op;    /* NULL: a copy of the layout's own */
  hy__node node;       /* name and attributes; its value ids are of a graph that is gone */
  uint64_t known;      /* a bit per input (of the first 64): its value was known when planned */
  uint64_t wanted;     /* a bit per output */
  size_t weight_bytes; /* packed for it, or used in place */
  size_t scratch_bytes;
  uint32_t beside, group_end; /* run with the steps before it to group_end, by this worker's turn,
                                 from 1; 0: by itself */
  bool halves;                /* a single row reads matrices of weights as bfloat16 */
} hy__step_info;

/* Steps of one worker, and what binds them. */
typedef struct hy__lane {
  hy__step *steps;
  hy__bind *binds;   /* of the arena */
  hy__bind *callers; /* of inputs and outputs */
} hy__lane;

/* An input or output of a batch in blocks: `n_parts` times the whole batch's rows, one after the
 * other. With more than one part, a block's rows are copied through its lane. */
typedef struct hy__block_port {
  size_t row_bytes; /* of a row in a part; 0: the same for all rows */
  size_t n_parts;
  size_t at; /* of the copy in a lane */
} hy__block_port;

/* A batch that is run in blocks of rows: the plan's steps are those of one block. The arena holds
 * the outputs (for callers who give no memory), then each lane's values and copies. */
typedef struct hy__blocks {
  size_t n_rows, rows, n; /* of the batch, of a block; blocks, the last one meets the one before */
  hy__lane *lanes;        /* lanes[0] is the plan's own */
  size_t n_lanes, lanes_at, lane_bytes;
  hy__block_port *ports; /* inputs, then outputs */
  void **inputs;         /* as bound */
  hy__pool *pool;        /* for the blocks; NULL: one after the other */
} hy__blocks;

typedef struct hy__plan {
  hy__arena *arena;
  hy_tensor
      *inputs; /* the types it was made for; data: the values, where they were taken as known */
  hy_tensor *outputs;
  size_t *output_offsets; /* where an output lies when the caller gives no memory */
  const void **known;     /* per output: its value where planning found it, else NULL */
  size_t n_inputs, n_outputs;
  hy__step *steps;
  hy__step_info *infos; /* per step */
  size_t n_steps;
  hy__bind *binds, *callers; /* as of a lane */
  size_t n_binds, n_callers;
  hy__blocks *blocks; /* NULL: the batch is run at once */
  void *base;         /* the arena's memory that is bound now */
  size_t arena_bytes, weight_bytes;
  size_t live_bytes; /* the most that is alive at one step: no arena can be smaller */
  size_t n_built;    /* nodes left after folding, before the passes */
  size_t *rewrites;  /* per pass */
  uint64_t last_used;
} hy__plan;

/* Which inputs' values the plan may take as known. */
typedef enum hy__plan_values {
  HY__PLAN_NONE,
  /* Those that look like shapes (few integers, single numbers): such a plan holds for these values
   * alone. For graphs that cannot be planned otherwise. */
  HY__PLAN_SHAPES,
  HY__PLAN_ALL /* all that have data, which must live as long as the plan */
} hy__plan_values;

#define HY__PLAN_WHOLE SIZE_MAX
typedef struct hy__plan_request {
  hy_runtime *runtime;
  const hy__graph *graph;
  hy__shared *shared;
  const hy__kernels *kernels;
  hy__pool *pool; /* NULL: runs are the caller's thread's alone */
  /* dtype, rank, dims per graph input, then per value that the graph captures */
  const hy_tensor *inputs;
  const bool *stable;     /* per input: known, for as long as the model lives; NULL: none */
  const int32_t *outputs; /* value ids of the graph */
  size_t n_outputs;
  hy__plan_values values;
  bool is_body; /* not the model's own graph: what folds is the plan's, not the model's */
  bool halves;  /* matrices of weights are rounded to bfloat16 */
  bool plain;   /* no pass runs: what the passes' results are compared with */
  hy__model_limits limits;
  size_t block_rows; /* how a batch is run: 0 as is best, HY__PLAN_WHOLE at once, or so many rows */
  int64_t deadline_ns; /* of a body: what the plan around it has left */
  size_t block_bytes;  /* of the plan's arena; 0: the usual */
  hy__budget *budget;  /* lives as long as the plan */
} hy__plan_request;

HY_CHECKED hy_status hy__plan_create(const hy__plan_request *request, hy__plan **out,
                                     hy_error *err);
/* In an arena of the caller's, whose end is the plan's. */
HY_CHECKED hy_status hy__plan_create_in(hy__arena *arena, const hy__plan_request *request,
                                        hy__plan **out, hy_error *err);
void hy__plan_destroy(hy__plan *plan);
/* Sets the pointers: `base` has arena_bytes; per input its dense elements; per output the caller's
 * memory, or NULL for a place in the arena. Allocates nothing. */
void hy__plan_bind(hy__plan *plan, void *base, void *const *inputs, void *const *outputs);
HY_CHECKED hy_status hy__plan_run(const hy__plan *plan, hy_error *err);
/* The plan of the session's latest run, NULL before the first. */
const hy__plan *hy__session_plan(const hy_session *session);

/* The host of a plan's subgraphs, in its arena. weight_bytes grows with the bodies made. */
HY_CHECKED hy_status hy__body_host(hy__arena *arena, const hy__plan_request *request,
                                   size_t *weight_bytes, hy__op_host **out, hy_error *err);

/* Lowering and layout, between plan.c and layout.c. A draft step knows which values it works on. */
typedef struct hy__draft {
  hy__step step;
  hy__step_info info;
  const int32_t *in, *out; /* value ids, HY__ABSENT */
  const int32_t *alias;    /* per output */
  const uint32_t *inplace;
  size_t scratch_bytes;
  bool alone;                      /* never turns to the pool */
  uint32_t beside;                 /* hy__plan_beside sets: whose share it is, from 1; 0: none */
  int32_t group_first, group_last; /* drafts that run at the same time */
  bool skip;                       /* every output is an input's bytes or has none */
} hy__draft;
HY_CHECKED hy_status hy__plan_layout(hy__plan *plan, hy__work *w, hy__draft *drafts,
                                     size_t n_drafts, hy_error *err);
/* Puts long steps that need not wait for each other into groups; changes the drafts' order. */
enum { HY__BESIDE_MAX = 64 }; /* shares */
HY_CHECKED hy_status hy__plan_beside(const hy__work *w, hy__draft *drafts, size_t n, hy_error *err);
/* Steps [first, end), a group. */
HY_CHECKED hy_status hy__beside_run(const hy__plan *plan, size_t first, size_t end, hy_error *err);
/* Lowers what is left of w and lays it out, in blocks where plan->blocks says so. */
HY_CHECKED hy_status hy__plan_lower(hy__plan *plan, hy__work *w, hy_error *err);
/* Makes the plan one of blocks where w's rows do not know of each other and blocks pay. */
HY_CHECKED hy_status hy__plan_block(hy__plan *plan, hy__work *w, const hy__plan_request *r,
                                    hy_error *err);
HY_CHECKED hy_status hy__blocks_run(const hy__plan *plan, hy_error *err);

#endif
