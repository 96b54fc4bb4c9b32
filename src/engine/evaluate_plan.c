/* SPDX-License-Identifier: Apache-2.0 */
/* Plans inside an evaluation: made for items, found again by their types (and by the values that
 * they took as known), run into fresh items. */
#include "engine/evaluate.h"

enum { BLOCK_BYTES = 1 << 11 };

hy_status hy__eval_room(hy__evaluator *e, size_t n, hy_error *err) {
  if (n <= e->n_pointers) return HY_OK;
  void *pointers, *types, *stable;
  size_t room = HY_MAX(2 * n, (size_t)64);
  HY_TRY(hy__arena_array(e->arena, room, sizeof(void *), &pointers, err));
  HY_TRY(hy__arena_array(e->arena, room, sizeof(hy_tensor), &types, err));
  HY_TRY(hy__arena_array(e->arena, room, sizeof(bool), &stable, err));
  e->pointers = pointers;
  e->types = types;
  e->stable = stable;
  e->n_pointers = room;
  return HY_OK;
}

bool hy__eval_fits(const hy__plan *plan, const hy__eval_call *call) {
  for (size_t k = 0; k < plan->n_inputs; k++) {
    const hy_tensor *a = &plan->inputs[k], *b = &call->in[k]->t;
    if (a->dtype != b->dtype || a->rank != b->rank) return false;
    for (int32_t d = 0; d < a->rank; d++)
      if (a->dims[d] != b->dims[d]) return false;
    if (a->data && a->data != b->data && memcmp(a->data, b->data, hy__work_bytes(a)) != 0)
      return false;
  }
  return true;
}

hy_status hy__eval_plan(hy__evaluator *e, const hy__eval_call *call, hy__plan **out,
                        hy_error *err) {
  HY_TRY(hy__eval_room(e, call->n_in, err));
  for (size_t k = 0; k < call->n_in; k++) {
    e->types[k] = call->in[k]->t;
    e->stable[k] = call->in[k]->stable;
  }
  hy__plan_request request = e->common;
  request.graph = call->graph;
  request.inputs = e->types;
  request.stable = e->stable;
  request.outputs = call->outputs;
  request.n_outputs = call->n_outputs;
  request.values = call->values;
  request.is_body = true;
  request.block_bytes = BLOCK_BYTES;
  return hy__plan_create(&request, out, err);
}

static hy_status memory_for(hy__evaluator *e, size_t bytes, hy_error *err) {
  if (bytes <= e->memory_bytes) return HY_OK;
  HY_FAIL_IF(bytes > e->items.max_bytes, HY_LIMIT, err,
             "a step needs %zu bytes, more than the %zu of max_bytes", bytes, e->items.max_bytes);
  hy__free(e->allocator, e->memory, e->memory_bytes);
  e->memory = NULL;
  e->memory_bytes = 0;
  HY_TRY(hy__alloc(e->allocator, bytes, &e->memory, err));
  e->memory_bytes = bytes;
  return HY_OK;
}

/* Texts may lie in the plan's memory, which the next node writes over. */
static hy_status texts_own(hy__evaluator *e, const hy__plan *plan, hy__item **out, hy_error *err) {
  for (size_t k = 0; k < plan->n_outputs; k++) {
    if (plan->outputs[k].dtype != HY_STRING) continue;
    hy__item *made = out[k];
    out[k] = NULL;
    hy_status status = hy__item_clone(&e->items, &made->t, &out[k], err);
    hy__item_drop(&e->items, made);
    HY_TRY(status);
  }
  return HY_OK;
}

hy_status hy__eval_run(hy__evaluator *e, hy__plan *plan, hy__item *const *in, hy__item **out,
                       hy_error *err) {
  HY_TRY(hy__eval_room(e, plan->n_inputs + plan->n_outputs, err));
  HY_TRY(memory_for(e, plan->arena_bytes, err));
  void **pointers = e->pointers, **made = pointers + plan->n_inputs;
  memset(out, 0, plan->n_outputs * sizeof *out);
  for (size_t k = 0; k < plan->n_inputs; k++) pointers[k] = in[k]->t.data;
  hy_status status = HY_OK;
  for (size_t k = 0; k < plan->n_outputs && status == HY_OK; k++) {
    status = hy__item_tensor(&e->items, &plan->outputs[k], &out[k], err);
    if (status == HY_OK) made[k] = out[k]->t.data;
  }
  if (status == HY_OK) {
    hy__plan_bind(plan, e->memory, pointers, made);
    status = hy__plan_run(plan, err);
  }
  if (status == HY_OK) status = texts_own(e, plan, out, err);
  if (status != HY_OK) hy__item_drop_all(&e->items, out, plan->n_outputs);
  return status;
}
