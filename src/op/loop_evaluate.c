/* SPDX-License-Identifier: Apache-2.0 */
/* Loop evaluated: any number of rounds, states that change shape or are sequences and optionals,
 * stacked outputs. What a round stacks is collected in sequences and joined at the end. */
#include "op/evaluate.h"

#include "op/rule.h"

typedef struct loop {
  const hy__graph *body;
  size_t n_state, n_scan;
  hy__item **in, **out; /* of the body */
  hy__item **scan;      /* a sequence each */
} loop;

static hy_status number(hy__evaluation *e, const loop *l, size_t k, int64_t value, hy_error *err) {
  HY_TRY(hy__eval_scalar(e, k ? HY_BOOL : HY_I64, value, &l->in[k], err));
  if (l->body->values[l->body->inputs[k]].rank != 1) return HY_OK;
  l->in[k]->t.rank = 1;
  l->in[k]->t.dims[0] = 1;
  return HY_OK;
}

/* The states stand in l->in + 2 before and after. */
static hy_status round_run(hy__evaluation *e, const loop *l, int64_t round, bool *condition,
                           hy_error *err) {
  HY_TRY(number(e, l, 0, round, err));
  HY_TRY(number(e, l, 1, 1, err));
  hy_status status = e->run_graph(e->ctx, l->body, l->in, l->out, err);
  memset(l->in, 0, (l->n_state + 2) * sizeof *l->in); /* the graph took them */
  HY_TRY(status);
  status = hy__eval_condition(l->out[0], condition, err);
  hy__item_drop_all(e->items, l->out, 1);
  for (size_t k = 0; k < l->n_state; k++) {
    l->in[2 + k] = l->out[1 + k];
    l->out[1 + k] = NULL;
  }
  for (size_t k = 0; k < l->n_scan && status == HY_OK; k++) {
    hy__item *made = l->out[1 + l->n_state + k];
    l->out[1 + l->n_state + k] = NULL;
    status = hy__item_insert(e->items, l->scan[k], l->scan[k]->n_list, made, err);
  }
  return status;
}

static hy_status rounds_run(hy__evaluation *e, const loop *l, hy_error *err) {
  int64_t most = INT64_MAX;
  bool condition = true;
  if (hy__eval_has(e, 0)) HY_TRY(hy__eval_int(e, 0, &most, err));
  if (hy__eval_has(e, 1)) HY_TRY(hy__eval_bool(e, 1, &condition, err));
  for (size_t k = 0; k < l->n_state; k++) {
    HY_FAIL_IF(!e->in[2 + k], HY_BAD_FORMAT, err, "input %zu must not be left out", 2 + k);
    l->in[2 + k] = hy__item_keep(e->in[2 + k]);
  }
  for (size_t k = 0; k < l->n_scan; k++)
    HY_TRY(hy__item_sequence(e->items, HY_DTYPE_NONE, &l->scan[k], err));
  for (int64_t round = 0; condition && round < most; round++)
    HY_TRY(round_run(e, l, round, &condition, err));
  return HY_OK;
}

static hy_status stack(hy__evaluation *e, const loop *l, size_t k, hy_error *err) {
  const hy__value *declared = &l->body->values[l->body->outputs[1 + l->n_state + k]];
  hy_tensor like = {.dtype = declared->dtype, .rank = HY_MAX(declared->rank, 0)};
  memcpy(like.dims, declared->dims, sizeof like.dims);
  HY_FAIL_IF(!l->scan[k]->n_list && !like.dtype, HY_UNSUPPORTED, err,
             "no round was run, and the body does not declare the type of what it stacks");
  hy__eval_join j = {
      .list = l->scan[k]->list, .n = l->scan[k]->n_list, .new_axis = true, .like = &like};
  return hy__eval_concat(e, &j, &e->out[l->n_state + k], err);
}

hy_status hy__op_loop_evaluate(hy__evaluation *e, hy_error *err) {
  loop l = {.n_state = e->n_in - 2};
  void *memory;
  HY_FAIL_IF(e->n_in < 2 || e->n_out < l.n_state, HY_BAD_FORMAT, err, "%zu inputs, %zu outputs",
             e->n_in, e->n_out);
  l.n_scan = e->n_out - l.n_state;
  HY_TRY(hy__eval_graph(e, "body", e->n_in, 1 + e->n_out, &l.body, err));
  size_t n = e->n_in + 1 + e->n_out + l.n_scan;
  HY_TRY(hy__alloc_zero(e->items->allocator, n * sizeof(hy__item *), &memory, err));
  l.in = memory;
  l.out = l.in + e->n_in;
  l.scan = l.out + 1 + e->n_out;
  hy_status status = rounds_run(e, &l, err);
  for (size_t k = 0; k < l.n_state && status == HY_OK; k++) e->out[k] = hy__item_keep(l.in[2 + k]);
  for (size_t k = 0; k < l.n_scan && status == HY_OK; k++) status = stack(e, &l, k, err);
  hy__item_drop_all(e->items, l.in, n);
  hy__free(e->items->allocator, memory, n * sizeof(hy__item *));
  return status;
}
