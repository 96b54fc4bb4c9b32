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
/* The live node with value id among its inputs if it is the only use; else -1. */
int32_t hy__work_sole_user(const hy__work *w, int32_t id);

#endif
