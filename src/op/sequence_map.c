/* SPDX-License-Identifier: Apache-2.0 */
/* SequenceMap: the body over the elements of one sequence, or of several at once; tensors among the
 * further inputs are the same in every round. */
#include "op/evaluate.h"

#include "op/rule.h"

enum { MAP_VALUES = 64 };

hy_status hy__op_sequence_map_infer(hy__op_plan *p, hy_error *err) {
  return hy__op_sequence_infer(p, err);
}

hy_status hy__op_sequence_map_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_sequence_lower(p, err);
}

static hy_status round_run(hy__evaluation *e, const hy__graph *body, size_t round, hy_error *err) {
  hy__item *in[MAP_VALUES], *out[MAP_VALUES] = {NULL};
  for (size_t k = 0; k < e->n_in; k++)
    in[k] = hy__item_keep(e->in[k]->kind == HY_VALUE_SEQUENCE ? e->in[k]->list[round] : e->in[k]);
  HY_TRY(e->run_graph(e->ctx, body, in, out, err));
  hy_status status = HY_OK;
  for (size_t k = 0; k < e->n_out; k++) {
    if (status == HY_OK && out[k]->kind != HY_VALUE_TENSOR)
      status = hy__error_set(err, HY_BAD_FORMAT, "its body gives no tensor");
    if (status == HY_OK)
      status = hy__item_insert(e->items, e->out[k], round, out[k], err);
    else
      hy__item_drop(e->items, out[k]);
  }
  return status;
}

hy_status hy__op_sequence_map_evaluate(hy__evaluation *e, hy_error *err) {
  const hy__graph *body;
  hy__item *first;
  HY_FAIL_IF(e->n_in > MAP_VALUES || e->n_out > MAP_VALUES, HY_LIMIT, err,
             "%zu inputs, %zu outputs; at most %d", e->n_in, e->n_out, (int)MAP_VALUES);
  HY_TRY(hy__eval_sequence(e, 0, &first, err));
  HY_TRY(hy__eval_graph(e, "body", e->n_in, e->n_out, &body, err));
  for (size_t k = 0; k < e->n_in; k++) {
    HY_FAIL_IF(!e->in[k], HY_BAD_FORMAT, err, "input %zu must not be left out", k);
    HY_FAIL_IF(e->in[k]->kind == HY_VALUE_SEQUENCE && e->in[k]->n_list != first->n_list,
               HY_INVALID_ARGUMENT, err, "sequences of %zu and %zu elements", first->n_list,
               e->in[k]->n_list);
  }
  for (size_t k = 0; k < e->n_out; k++) {
    hy_dtype dtype = body->values[body->outputs[k]].dtype;
    HY_TRY(hy__item_sequence(e->items, dtype, &e->out[k], err));
  }
  for (size_t round = 0; round < first->n_list; round++) HY_TRY(round_run(e, body, round, err));
  return HY_OK;
}
