/* SPDX-License-Identifier: Apache-2.0
 * Operators that work on values rather than on dense tensors of known shapes: sequences, optionals,
 * and graphs run for as long as the data says. The engine's evaluator calls them node by node; they
 * allocate. The rows stand in value.inc. */
#ifndef HY_OP_EVALUATE_H
#define HY_OP_EVALUATE_H

#include "model/model.h"
#include "op/item.h"

struct hy__budget;

typedef struct hy__evaluation {
  const hy__node *node;
  hy__item *const *in; /* NULL where absent; the caller's references */
  const bool *in_dies; /* nobody asks for input k after this: with n_refs 1 it may be changed */
  size_t n_in, n_out;
  hy__item **out; /* NULL at first; the operator gives a reference for each, or fails */
  hy__items *items;
  struct hy__budget *budget;
  /* Runs a graph of the node. It takes the references of `in`, even on failure, and gives one per
   * output. */
  hy_status (*run_graph)(void *ctx, const hy__graph *graph, hy__item **in, hy__item **out,
                         hy_error *err);
  void *ctx;
} hy__evaluation;

typedef hy_status (*hy__op_evaluate_fn)(hy__evaluation *e, hy_error *err);

/* NULL: the node's operator is planned, inferred and lowered like any other. */
hy__op_evaluate_fn hy__op_evaluate_find(const hy__node *node);

#define HY_OP_VALUE(domain, name, file)                                                            \
  HY_CHECKED hy_status hy__op_##file##_evaluate(hy__evaluation *e, hy_error *err);
#include "op/value.inc"
#undef HY_OP_VALUE

/* --- for the operators --- */

/* Input k as a tensor, a sequence. */
HY_CHECKED hy_status hy__eval_tensor(const hy__evaluation *e, size_t k, const hy_tensor **out,
                                     hy_error *err);
HY_CHECKED hy_status hy__eval_sequence(const hy__evaluation *e, size_t k, hy__item **out,
                                       hy_error *err);
/* One integer, one bool. */
HY_CHECKED hy_status hy__eval_int(const hy__evaluation *e, size_t k, int64_t *out, hy_error *err);
HY_CHECKED hy_status hy__eval_bool(const hy__evaluation *e, size_t k, bool *out, hy_error *err);
HY_CHECKED hy_status hy__eval_condition(const hy__item *item, bool *out, hy_error *err);
HY_CHECKED hy_status hy__eval_scalar(hy__evaluation *e, hy_dtype dtype, int64_t value,
                                     hy__item **out, hy_error *err);
static inline bool hy__eval_has(const hy__evaluation *e, size_t k) {
  return k < e->n_in && e->in[k];
}
HY_CHECKED hy_status hy__eval_graph(const hy__evaluation *e, const char *name, size_t n_in,
                                    size_t n_out, const hy__graph **out, hy_error *err);

/* n tensors one after the other along `axis`: of a new axis (their dims equal), or of theirs. */
typedef struct hy__eval_join {
  hy__item *const *list;
  size_t n;
  int64_t axis;
  bool new_axis, reverse;
  const hy_tensor *like; /* the type of one where n is 0; rank -1: a vector of none */
} hy__eval_join;
HY_CHECKED hy_status hy__eval_concat(hy__evaluation *e, const hy__eval_join *join, hy__item **out,
                                     hy_error *err);
/* The part [from, from + n) of an axis; drop_axis: n is 1 and the axis goes. */
typedef struct hy__eval_part {
  const hy_tensor *t;
  int32_t axis;
  int64_t from, n;
  bool drop_axis;
} hy__eval_part;
HY_CHECKED hy_status hy__eval_cut(hy__evaluation *e, const hy__eval_part *part, hy__item **out,
                                  hy_error *err);

#endif
