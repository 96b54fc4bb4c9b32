/* SPDX-License-Identifier: Apache-2.0
 * The façade of the op room: what an operator is. One file per operator or family, one row in
 * op.inc.
 *
 * The engine plans a graph for concrete input shapes: it walks the nodes in order and asks each
 * operator first to `infer` (element types and dims of the outputs, from those of the inputs and
 * the values of inputs that are known), then, if every input is known and the operator is pure,
 * runs it at once (folding), else to `lower` it into a step. So torch's shape arithmetic disappears
 * at planning, and a step sees only dense tensors of known dims. */
#ifndef HY_OP_OP_H
#define HY_OP_OP_H

#include "base/base.h"
#include "kernel/kernel.h"
#include "model/model.h"

struct hy__step;
typedef hy_status (*hy__step_fn)(const struct hy__step *step, hy_error *err);

/* A step as the session runs it: no allocation, no lock, no system call. */
typedef struct hy__step {
  hy__step_fn run;
  const void *params;  /* made by lower, in the plan's arena */
  const hy_tensor *in; /* dense; data NULL where the optional input is absent */
  hy_tensor *out; /* dense; data NULL where nobody wants the output; the data pointers are fixed
                          before the run: a step writes elements, never this array */
  size_t n_in, n_out;
  void *scratch; /* scratch_bytes, 64-byte aligned, contents undefined */
  const hy__kernels *kernels;
  hy__pool *pool; /* for steps that divide; NULL: the caller's thread alone */
  /* Changes from run to run: a step may read its weights backwards when set, and so begin with what
   * the last run left in the caches. Results do not depend on it. */
  bool turned;
} hy__step;

/* Packed weights, shared by all sessions of a model: the same (source, layout) is packed once.
 * layout is HY__PACK with two letters of the operator's own. `fill` writes `packed` (bytes, 64-byte
 * aligned; zeroed, but for panels of numbers, which it writes wholly but for their last line). A
 * source that belongs to one plan alone (a folded value) is packed into that plan. */
#define HY__PACK(a, b, variant) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(variant))
typedef struct hy__packs hy__packs;
typedef hy_status (*hy__pack_fn)(void *ctx, void *packed, hy_error *err);
typedef struct hy__pack_store hy__pack_store;
struct hy__packs {
  hy__pack_store *store; /* of the model; locks inside */
  hy__arena *arena;      /* of the plan */
  bool halves;           /* matrices of weights are rounded to bfloat16 */
  bool own;              /* the node at hand has inputs that only this plan knows */
  size_t n_bytes;        /* had through this so far */
};
/* expected_bytes: of weights; forms lie in blocks of about as much, not each in one of its own. */
HY_CHECKED hy_status hy__pack_store_create(const hy_allocator *a, size_t expected_bytes,
                                           hy__pack_store **out, hy_error *err);
void hy__pack_store_destroy(hy__pack_store *store);
/* Packed forms from a container: found by key, layout and size, they are used in place of packing.
 * Only families that hold numbers alone are taken, so that no bytes of a file become an index or an
 * address. Entries ascend by (key, layout, bytes). key_of names a source the same in every process,
 * or is HY__PACK_NO_KEY. */
#define HY__PACK_NO_KEY UINT64_MAX
typedef struct hy__pack_given {
  uint64_t key, bytes;
  uint32_t layout;
  const void *data; /* aligned to 64 */
} hy__pack_given;
typedef uint64_t (*hy__pack_key_fn)(void *ctx, const void *source);
/* Before the first hy__pack_get; `given` must outlive the store. */
void hy__pack_store_give(hy__pack_store *store, const hy__pack_given *given, size_t n,
                         hy__pack_key_fn key_of, void *ctx);
/* What the store holds and could be given again, in no order; NULL out: how many. */
size_t hy__pack_store_list(hy__pack_store *store, hy__pack_key_fn key_of, void *ctx,
                           hy__pack_given *out);
size_t hy__pack_store_n_taken(hy__pack_store *store); /* found among the given */
/* Names the packed forms of this build: differs where a form differs. */
uint64_t hy__pack_revision(void);
HY_CHECKED hy_status hy__pack_get(hy__packs *packs, const void *source, uint32_t layout,
                                  size_t bytes, hy__pack_fn fill, void *ctx, const void **out,
                                  hy_error *err);

/* What is left to a run of the session. Who runs a graph takes a round: hy__op_spend. */
typedef struct hy__budget {
  int64_t rounds;
  int64_t deadline_ns; /* of the monotonic clock; 0: none */
} hy__budget;

/* A subgraph planned for concrete types, to run inside a step: made by the engine for an operator
 * that has one (If, Loop, Scan), and kept with the plan at hand. */
typedef struct hy__body {
  const hy_tensor *out; /* what was asked for; data: where the value is known at planning */
  size_t n_in, n_out;   /* n_in: the graph's inputs, then the values that it captures */
  size_t n_captured, first_captured; /* captured value j is the step's input first_captured + j */
  size_t scratch_bytes;              /* a run's memory, 64-byte aligned */
  int64_t note;                      /* the operator's own; 0 when made */
} hy__body;

typedef struct hy__body_request {
  const hy__graph *graph;
  const hy_tensor *in; /* n_in of the body; data where known */
  const bool *stable;  /* per input: its data lives as long as the model */
  const bool *wanted;  /* per output of the graph; only these are computed */
} hy__body_request;

typedef struct hy__op_host hy__op_host;
struct hy__op_host {
  /* The same request gives the same body again. */
  hy_status (*plan)(hy__op_host *host, const hy__body_request *request, hy__body **out,
                    hy_error *err);
  /* Dense elements per input and per wanted output. */
  hy_status (*run)(hy__body *body, void *scratch, void *const *in, void *const *out, hy_error *err);
  hy__budget *budget;
};

/* What infer and lower see of a node. Errors need not name the node: the engine adds it. */
typedef struct hy__op_plan {
  const hy__node *node;
  const hy_tensor *in; /* dtype, rank, dims known; data non-NULL only if the value is known now */
  const bool *in_present, *in_stable; /* stable: its data lives as long as the model */
  size_t n_in, n_out;
  size_t n_captured; /* further entries of in: what the node's subgraphs read from around them */
  hy__op_host *host; /* NULL where subgraphs cannot be planned */
  /* infer fills dtype, rank, dims; and data too where it knows the value already (Shape of an input
   * whose elements are not known): memory of `arena` or of the model. Dense. */
  hy_tensor *out;
  int32_t *out_alias; /* infer may set: output k is input out_alias[k]'s bytes (reshapes) */
  /* infer may set: a bit per input whose memory output k may share if that input dies here; for
   * operators that read element i of the input before they write element i of the output. The
   * engine checks that the bytes are the same in number. */
  uint32_t *out_inplace;
  const bool *out_wanted;
  /* lower fills: */
  hy__step_fn run;
  void *params;
  size_t scratch_bytes;
  hy__arena *arena; /* the plan's; freed with it */
  hy__packs *packs;
  hy__pool *pool; /* that the step will have */
  bool alone;     /* lower may set: the step never turns to it */
  const hy__kernels *kernels;
  const hy_runtime *runtime;
} hy__op_plan;

typedef hy_status (*hy__op_fn)(hy__op_plan *plan, hy_error *err);

/* Sets of element types, a bit per hy_dtype. */
enum {
  HY__OP_FLOATS = 1 << HY_F32 | 1 << HY_F64,
  HY__OP_HALVES = 1 << HY_F16 | 1 << HY_BF16,
  HY__OP_SIGNED = 1 << HY_I8 | 1 << HY_I16 | 1 << HY_I32 | 1 << HY_I64,
  HY__OP_UNSIGNED = 1 << HY_U8 | 1 << HY_U16 | 1 << HY_U32 | 1 << HY_U64,
  HY__OP_INTS = HY__OP_SIGNED | HY__OP_UNSIGNED,
  HY__OP_NUMBERS = HY__OP_FLOATS | HY__OP_INTS,
  HY__OP_ML = HY__OP_FLOATS | 1 << HY_I32 | 1 << HY_I64,  /* what ai.onnx.ml takes */
  HY__OP_PRODUCT = HY__OP_ML | 1 << HY_U32 | 1 << HY_U64, /* what MatMul takes */
  HY__OP_BOOLS = 1 << HY_BOOL,
  HY__OP_STRINGS = 1 << HY_STRING,
  HY__OP_KEYS = HY__OP_ML | 1 << HY_I16 | HY__OP_STRINGS, /* of the encoders */
  HY__OP_FLOAT8 = 1 << HY_F8E4M3FN | 1 << HY_F8E4M3FNUZ | 1 << HY_F8E5M2 | 1 << HY_F8E5M2FNUZ,
  HY__OP_SMALL_INTS = 1 << HY_U4 | 1 << HY_I4 | 1 << HY_U2 | 1 << HY_I2,
  /* kinds that are stored, moved, cast and (de)quantised, with no arithmetic of their own */
  HY__OP_STORED = HY__OP_FLOAT8 | HY__OP_SMALL_INTS | 1 << HY_F4E2M1 | 1 << HY_F8E8M0,
  HY__OP_ALL = HY__OP_NUMBERS | HY__OP_HALVES | HY__OP_BOOLS | HY__OP_STRINGS | HY__OP_STORED
};

typedef struct hy__op {
  const char *domain, *name;
  int32_t since, until;                     /* opset versions, both included; until 0: open */
  int32_t in_min, in_max, out_min, out_max; /* max -1: any number */
  uint32_t types; /* of the first input present; others are refused by name */
  hy__op_fn infer, lower;
  bool pure; /* may be folded */
} hy__op;

/* The row for a node; NULL if there is none. *other_version (may be NULL) tells that the name
 * exists at another version. */
const hy__op *hy__op_find(const char *domain, const char *name, int32_t version,
                          bool *other_version);
size_t hy__op_count(void);
const hy__op *hy__op_at(size_t index);

/* Takes a round: LIMIT when there is none left, or when it is too late. */
HY_CHECKED hy_status hy__op_spend(hy__budget *budget, hy_error *err);

/* After infer, of a Loop: how many rounds it goes, -1 where that is found while running. */
HY_CHECKED hy_status hy__op_loop_count(hy__op_plan *p, int64_t *rounds, hy_error *err);

/* Operators on values that are no dense tensors. */
#include "op/evaluate.h"

/* Domain "hayate": what passes write, and no file may contain (the reader refuses it). A pass makes
 * one of these only where op.inc has its row:
 *   Linear(X, W, B?)  X [.., K], W known [K, N] (or [N, K] with transB=1), B known [N]:
 *                     Y [.., N] = act(X W + B); attributes transB (int), activation (string: "",
 *                     Relu, LeakyRelu, Sigmoid, Tanh), alpha (float, of LeakyRelu).
 *   AttentionView(Q, K, V, mask?)  softmax(scale q k' + mask) v per batch and head, over views:
 *                     sizes (ints: batch, heads, queries, keys, depth, depth of v);
 *                     q, k, v, out, mask (ints: offset; elements between batches, heads, rows);
 *                     key_step (ints: between a key's elements); seen (ints: keys that row 0 sees,
 *                     and how many more each next one does); scale (float); shape (ints: Y's dims);
 *                     time (int: Y's axis of queries, -1: none).
 *   ConvLast(X, W, B?, R?)  X [batch, .., channels], W known, as Conv's, R as Y:
 *                     Y [batch, .., M] = after(activation(conv(X, W) + B) + R). Conv's attributes;
 *                     activation, after (string: "", Relu, Sigmoid, Tanh).
 *   ConvIntegerToFloat(X, W, x_scale, w_scale, x_zero?, w_zero?, B?)  ConvInteger's sums times both
 *                     scales, plus B per channel.
 *   PoolLast(X)       X [batch, .., channels]: MaxPool or, with average=1, AveragePool.
 *   RecurrentStack(X, W1, R1, B1?, W2, R2, B2?, ..)  layers of `kind` (string: LSTM, GRU, RNN) upon
 *                     each other, forward, with the default functions, states from zeros; X
 *                     [time, batch, features], or with layout_x=1 [batch, time, features]; Y and
 *                     Y_h of the last, in `layout` as LSTM's; linear_before_reset.
 *
 * LSTM, GRU and RNN keep their ONNX meaning; passes set `layout` = 1 where that spares transposes,
 * and leave Y unwanted where only the last step is used. */

#endif
