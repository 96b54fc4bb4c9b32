/* SPDX-License-Identifier: Apache-2.0
 * The façade of the op room: what an operator is. One file per operator, one row in op.inc.
 *
 * The engine plans a graph for concrete input shapes: it walks the nodes in order and asks each operator first to
 * `infer` (element types and dims of the outputs, from those of the inputs and the values of inputs that are known),
 * then, if every input is known and the operator is pure, runs it at once (folding), else to `lower` it into a step.
 * So torch's shape arithmetic disappears at planning, and a step sees only dense tensors of known dims. */
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
  hy_tensor *out;      /* dense; data NULL where nobody wants the output */
  size_t n_in, n_out;
  void *scratch; /* scratch_bytes, 64-byte aligned, contents undefined */
  const hy__kernels *kernels;
} hy__step;

/* Packed weights, shared by all sessions of a model: the same (source, layout) is packed once. */
typedef struct hy__packs hy__packs;
typedef hy_status (*hy__pack_fn)(void *ctx, void *packed, hy_error *err);
HY_CHECKED hy_status hy__pack_get(hy__packs *packs, const void *source, uint32_t layout, size_t bytes,
                                  hy__pack_fn fill, void *ctx, const void **out, hy_error *err);

/* What infer and lower see of a node. */
typedef struct hy__op_plan {
  const hy__node *node;
  const hy_tensor *in; /* dtype, rank, dims known; data non-NULL only if the value is known at planning */
  const bool *in_present;
  size_t n_in, n_out;
  hy_tensor *out;          /* infer fills dtype, rank, dims */
  int32_t *out_alias;      /* infer may set: output k is input out_alias[k]'s bytes (reshapes); -1 */
  int32_t *out_inplace;    /* infer may set: output k may share input's memory if that dies here; -1 */
  const bool *out_wanted;
  /* lower fills: */
  hy__step_fn run;
  void *params;
  size_t scratch_bytes;
  hy__arena *arena; /* the plan's */
  hy__packs *packs;
  const hy__kernels *kernels;
  const hy_runtime *runtime;
} hy__op_plan;

typedef hy_status (*hy__op_fn)(hy__op_plan *plan, hy_error *err);

typedef struct hy__op {
  const char *domain, *name;
  int32_t since, until; /* opset versions, both included; until 0: open */
  int32_t in_min, in_max, out_min, out_max; /* max -1: any number */
  hy__op_fn infer, lower;
  bool pure; /* may be folded */
} hy__op;

/* The row for a node; NULL if there is none. *other_version tells that the name exists at another version. */
const hy__op *hy__op_find(const char *domain, const char *name, int32_t version, bool *other_version);
size_t hy__op_count(void);
const hy__op *hy__op_at(size_t index);

#endif
