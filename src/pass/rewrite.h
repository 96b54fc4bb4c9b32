/* SPDX-License-Identifier: Apache-2.0
 * Inside the pass room: the passes of pass.inc, what folding tells the builder, and the small
 * questions that matching asks. */
#ifndef HY_PASS_REWRITE_H
#define HY_PASS_REWRITE_H

#include "pass/pass.h"

#define HY_PASS(name, summary)                                                                     \
  HY_CHECKED hy_status hy__pass_##name(hy__work *w, size_t *n_rewrites, hy_error *err);
#include "pass/pass.inc"
#undef HY_PASS

/* Whose memory a folded value lies in. */
typedef enum hy__work_known { HY__WORK_UNKNOWN, HY__WORK_PLAN, HY__WORK_MODEL } hy__work_known;

/* After infer: known outputs get their data, by running the node if need be. source: the ids of the
 * outputs in the model's graph, NULL inside subgraphs. */
HY_CHECKED hy_status hy__work_fold(hy__work *w, hy__op_plan *view, const hy__op *op,
                                   const int32_t *source, hy__work_known *known, hy_error *err);

/* A node of this graph enters: inferred, then folded or appended. source: as of hy__work_fold. */
HY_CHECKED hy_status hy__work_enter(hy__work *w, const hy__work_node *node, const int32_t *source,
                                    hy_error *err);
/* Does the node have half inputs that its operator does not take? Then it enters with casts around
 * it. source: the node in the model's graph, NULL inside subgraphs. */
bool hy__work_widens(const hy__work *w, const hy__work_node *node);
HY_CHECKED hy_status hy__work_enter_wide(hy__work *w, const hy__work_node *node,
                                         const hy__node *source, hy_error *err);
/* Is the node one of two operands that broadcast as before opset 7? Then it is brought to 7. */
bool hy__work_is_legacy(const hy__work_node *node);
HY_CHECKED hy_status hy__work_align(hy__work *w, hy__work_node *node, hy_error *err);
/* Is the node one of com.microsoft's QLinear operators, which are their operator on floats between
 * DequantizeLinear and QuantizeLinear? Then it enters as these. */
bool hy__work_is_qlinear(const hy__work_node *node);
HY_CHECKED hy_status hy__work_enter_qlinear(hy__work *w, const hy__work_node *node,
                                            const int32_t *source, hy_error *err);
/* Where the cache keeps a constant of the model's graph in its f32 form; HY__ABSENT for none. */
int32_t hy__fold_slot_wide(const hy__fold_cache *cache, int32_t value);

/* Is node n, alive, this operator of the domain ai.onnx or "hayate"? */
bool hy__work_is(const hy__work *w, int32_t n, const char *op_type);
/* The live node that makes value id, if it is this operator and nobody else uses the value; else
 * -1. */
int32_t hy__work_maker(const hy__work *w, int32_t id, const char *op_type);
/* The known value of input k of node n, else NULL. */
const hy_tensor *hy__work_known_input(const hy__work *w, int32_t n, size_t k);
const hy_tensor *hy__work_tensor(const hy__work *w, int32_t id);
/* Input id k of node n, HY__ABSENT if it has none. */
int32_t hy__work_input(const hy__work *w, int32_t n, size_t k);
/* What stands for value id now. */
int32_t hy__work_resolve(const hy__work *w, int32_t id);
/* The live node with value id among its inputs if it is the only use; else -1. */
int32_t hy__work_sole_user(const hy__work *w, int32_t id);

/* --- writing (write.c): *to lies in the arena, for hy__work_add or hy__work_replace --- */

/* `first`, `first + step`, ... : n places along an axis, step >= 1. */
typedef struct hy__steps {
  int64_t first, step, n;
} hy__steps;

/* A known list of i64. */
HY_CHECKED hy_status hy__work_ints(hy__work *w, const int64_t *from, int32_t n, int32_t *out,
                                   hy_error *err);
HY_CHECKED hy_status hy__work_transpose(hy__work *w, int32_t id, const int64_t *perm,
                                        hy__work_rewrite *to, hy_error *err);
HY_CHECKED hy_status hy__work_reshape(hy__work *w, int32_t id, int32_t rank, const int64_t *dims,
                                      hy__work_rewrite *to, hy_error *err);
HY_CHECKED hy_status hy__work_slice(hy__work *w, int32_t id, int32_t axis, hy__steps steps,
                                    hy__work_rewrite *to, hy_error *err);
/* The node's attributes (node may be NULL), those of `more` in place of theirs. */
HY_CHECKED hy_status hy__work_attrs(hy__work *w, const hy__node *node, const hy__attr *more,
                                    size_t n_more, hy__work_rewrite *to, hy_error *err);

/* A known value of one float. */
bool hy__work_number(const hy__work *w, int32_t id, double *out);
/* Is node n that operator, over one axis with parameters that are known? */
bool hy__work_read_perm(const hy__work *w, int32_t n, int64_t *perm);
bool hy__work_read_slice(const hy__work *w, int32_t n, int32_t *axis, hy__steps *steps);
/* Gather of a single index, which drops the axis. */
bool hy__work_read_gather(const hy__work *w, int32_t n, int32_t *axis, int64_t *index);
/* Integers that are input k or, if it is absent, an attribute; at most HY_MAX_RANK. */
bool hy__work_known_ints(const hy__work *w, int32_t n, size_t k, const char *name, int64_t *out,
                         int32_t *n_out);
/* A value as a view: element (i0, i1, ..) is scale times the base's element offset + sum of i times
 * strides. */
typedef struct hy__strided {
  int32_t base, rank;
  int64_t offset, dims[HY_MAX_RANK], strides[HY_MAX_RANK];
  double scale;
} hy__strided;
void hy__work_strided(const hy__work *w, int32_t id, hy__strided *view);
/* Element i of the output depends on element i of the inputs alone, broadcast. */
bool hy__work_pointwise(const hy__work *w, int32_t n);

#endif
