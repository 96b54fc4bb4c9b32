/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluator: see evaluate.h. Values live in the slots of their graph's frame until the node
 * that uses them last has run. */
#include "engine/evaluate.h"

enum { ARENA_BLOCK = 1 << 13 };

typedef struct caller {
  hy__evaluator *e;
  hy__frame *frame;
} caller;

static hy_status frame_run(hy__evaluator *e, hy__frame *f, hy__item **in, hy__item **out,
                           hy_error *err);

static void slot_drop(hy__evaluator *e, hy__frame *f, int32_t value) {
  if (f->last[value] != HY__FRAME_FIXED) hy__item_drop_all(&e->items, &f->slots[value], 1);
}

/* What node n was the last to use, or made for nobody. */
static void slots_release(hy__evaluator *e, hy__frame *f, size_t n) {
  const hy__node *node = &f->graph->nodes[n];
  for (size_t k = 0; k < node->n_inputs; k++)
    if (node->inputs[k] >= 0 && f->last[node->inputs[k]] == (int32_t)n)
      slot_drop(e, f, node->inputs[k]);
  for (size_t k = 0; k < node->n_outputs; k++)
    if (node->outputs[k] >= 0 && f->last[node->outputs[k]] < 0) slot_drop(e, f, node->outputs[k]);
  for (size_t a = 0; a < node->n_attrs; a++) {
    if (node->attrs[a].kind != HY__ATTR_GRAPH) continue;
    const hy__graph *sub = node->attrs[a].as.graph;
    for (size_t v = 0; v < sub->n_values; v++)
      if (sub->values[v].outer >= 0 && f->last[sub->values[v].outer] == (int32_t)n)
        slot_drop(e, f, sub->values[v].outer);
  }
}

/* --- nodes that are planned --- */

static hy_status single_plan(hy__evaluator *e, hy__single *s, hy__item *const *in, hy__plan **out,
                             hy_error *err) {
  hy__eval_call call = {.graph = &s->graph,
                        .outputs = s->graph.outputs,
                        .n_outputs = s->graph.n_outputs,
                        .in = in,
                        .n_in = s->graph.n_inputs,
                        .values = s->values};
  if (s->plan && hy__eval_fits(s->plan, &call)) {
    *out = s->plan;
    return HY_OK;
  }
  hy__plan_destroy(s->plan);
  s->plan = NULL;
  hy_status status = hy__eval_plan(e, &call, out, err);
  while (status == HY_UNSUPPORTED && call.values < HY__PLAN_ALL) {
    call.values++;
    status = hy__eval_plan(e, &call, out, err);
  }
  HY_TRY(status);
  hy_error_clear(err);
  s->values = call.values;
  s->plan = *out;
  return HY_OK;
}

static hy_status node_planned(hy__evaluator *e, hy__frame *f, size_t n, hy__item **list,
                              hy_error *err) {
  const hy__node *node = &f->graph->nodes[n];
  hy__single *s = f->nodes[n].single;
  hy__plan *plan;
  if (!s) HY_TRY(hy__frame_single(e, f, n, &f->nodes[n].single, err));
  s = f->nodes[n].single;
  hy__item **in = list, **out = list + s->graph.n_inputs;
  for (size_t k = 0; k < s->graph.n_inputs; k++) {
    in[k] = f->slots[s->sources[k]];
    HY_FAIL_IF(!in[k], HY_INTERNAL, err, "value '%s' is used before it is made",
               f->graph->values[s->sources[k]].name);
    HY_FAIL_IF(in[k]->kind != HY_VALUE_TENSOR, HY_BAD_FORMAT, err, "value '%s' is no tensor",
               f->graph->values[s->sources[k]].name);
  }
  HY_TRY(single_plan(e, s, in, &plan, err));
  hy_status status = hy__work_blame(node, hy__eval_run(e, plan, in, out, err), err);
  if (s->values == HY__PLAN_ALL) { /* it holds for these values alone */
    hy__plan_destroy(s->plan);
    s->plan = NULL;
  }
  HY_TRY(status);
  for (size_t k = 0; k < s->graph.n_outputs; k++)
    f->slots[node->outputs[s->graph.outputs[k] - (int32_t)node->n_inputs]] = out[k];
  return HY_OK;
}

/* --- nodes on values --- */

static hy__frame *frame_find(const hy__evaluator *e, const hy__graph *graph) {
  for (hy__frame *f = e->frames; f; f = f->next)
    if (f->graph == graph) return f;
  return NULL;
}

static hy_status run_graph(void *ctx, const hy__graph *graph, hy__item **in, hy__item **out,
                           hy_error *err) {
  caller *c = ctx;
  hy__frame *f = frame_find(c->e, graph);
  hy_status status = f ? HY_OK : hy__frame_make(c->e, graph, c->frame, &f, err);
  if (status == HY_OK) status = hy__op_spend(c->e->common.budget, err);
  if (status != HY_OK) {
    hy__item_drop_all(&c->e->items, in, graph->n_inputs);
    return status;
  }
  f->outer = c->frame; /* one body may stand in several nodes */
  return frame_run(c->e, f, in, out, err);
}

static hy_status arity_check(const hy__node *node, const hy__op *op, hy_error *err) {
  bool in = (int64_t)node->n_inputs >= op->in_min &&
            (op->in_max < 0 || (int64_t)node->n_inputs <= op->in_max);
  bool out = (int64_t)node->n_outputs >= op->out_min &&
             (op->out_max < 0 || (int64_t)node->n_outputs <= op->out_max);
  HY_FAIL_IF(!in || !out, HY_BAD_FORMAT, err, "it has %zu inputs and %zu outputs", node->n_inputs,
             node->n_outputs);
  return HY_OK;
}

static hy_status node_valued(hy__evaluator *e, hy__frame *f, size_t n, hy__item **list,
                             hy_error *err) {
  const hy__node *node = &f->graph->nodes[n];
  caller c = {e, f};
  hy__item **in = list, **out = list + node->n_inputs;
  bool *dies = (bool *)(out + node->n_outputs);
  HY_TRY(arity_check(node, f->nodes[n].op, err));
  for (size_t k = 0; k < node->n_inputs; k++) {
    int32_t id = node->inputs[k];
    in[k] = id < 0 ? NULL : f->slots[id];
    HY_FAIL_IF(id >= 0 && !in[k], HY_INTERNAL, err, "value '%s' is used before it is made",
               f->graph->values[id].name);
    dies[k] = id >= 0 && f->last[id] == (int32_t)n;
    for (size_t j = 0; j < k; j++)
      if (in[j] && in[j] == in[k]) dies[j] = dies[k] = false;
  }
  memset(out, 0, node->n_outputs * sizeof *out);
  hy__evaluation call = {.node = node,
                         .in = in,
                         .in_dies = dies,
                         .n_in = node->n_inputs,
                         .n_out = node->n_outputs,
                         .out = out,
                         .items = &e->items,
                         .budget = e->common.budget,
                         .run_graph = run_graph,
                         .ctx = &c};
  hy_status status = f->nodes[n].fn(&call, err);
  for (size_t k = 0; k < node->n_outputs; k++) {
    if (status == HY_OK && node->outputs[k] >= 0)
      f->slots[node->outputs[k]] = out[k];
    else
      hy__item_drop(&e->items, out[k]);
  }
  return status;
}

/* --- graphs --- */

static hy_status node_run(hy__evaluator *e, hy__frame *f, size_t n, hy_error *err) {
  const hy__node *node = &f->graph->nodes[n];
  void *list;
  size_t n_values = node->n_inputs + node->n_outputs + 1;
  size_t bytes = n_values * (sizeof(hy__item *) + sizeof(bool));
  hy__budget *budget = e->common.budget;
  HY_FAIL_IF(budget->deadline_ns && hy__clock_monotonic_ns() > budget->deadline_ns, HY_LIMIT, err,
             "the run takes longer than the session's max_run_ms allows");
  HY_TRY(hy__alloc(e->allocator, bytes, &list, err));
  hy_status status;
  if (f->nodes[n].fn)
    status = hy__work_blame(node, node_valued(e, f, n, list, err), err);
  else
    status = node_planned(e, f, n, list, err); /* its errors name the node already */
  hy__free(e->allocator, list, bytes);
  return status;
}

static hy_status nodes_run(hy__evaluator *e, hy__frame *f, hy_error *err) {
  for (size_t n = 0; n < f->graph->n_nodes; n++) {
    if (!f->needed[n]) continue;
    HY_TRY(node_run(e, f, n, err));
    slots_release(e, f, n);
  }
  return HY_OK;
}

/* The whole graph as one plan, for the types at hand. *done false: it has to go node by node. */
static hy_status planned_run(hy__evaluator *e, hy__frame *f, hy__item **list, hy__item **out,
                             bool *done, hy_error *err) {
  hy__eval_call call = {.graph = f->graph,
                        .outputs = f->outputs,
                        .n_outputs = f->n_outputs,
                        .in = list,
                        .n_in = f->n_in};
  hy__plan *plan = NULL;
  for (size_t k = 0; k < f->n_in; k++) {
    size_t n_own = f->graph->n_inputs;
    list[k] = f->slots[k < n_own ? f->graph->inputs[k] : f->captured[k - n_own]];
    if (!list[k] || list[k]->kind != HY_VALUE_TENSOR) return HY_OK;
  }
  for (size_t i = 0; i < f->n_plans && !plan; i++)
    if (hy__eval_fits(f->plans[i], &call)) plan = f->plans[i];
  if (!plan) {
    hy_error why;
    hy_status status = hy__eval_plan(e, &call, &plan, &why);
    f->unplannable = status == HY_UNSUPPORTED;
    if (f->unplannable) return HY_OK;
    if (status != HY_OK && err) *err = why;
    HY_TRY(status);
    size_t place = f->n_plans < HY__FRAME_PLANS ? f->n_plans++ : f->oldest++ % HY__FRAME_PLANS;
    hy__plan_destroy(f->plans[place]);
    f->plans[place] = plan;
  }
  *done = true;
  return hy__eval_run(e, plan, list, out, err);
}

static hy_status body_run(hy__evaluator *e, hy__frame *f, hy__item **out, bool *done,
                          hy_error *err) {
  void *list;
  size_t bytes = (f->n_in + 1) * sizeof(hy__item *);
  if (!f->outer || f->unplannable) return HY_OK;
  HY_TRY(hy__alloc(e->allocator, bytes, &list, err));
  hy_status status = planned_run(e, f, list, out, done, err);
  hy__free(e->allocator, list, bytes);
  return status;
}

static void frame_enter(hy__evaluator *e, hy__frame *f, hy__item **in) {
  for (size_t k = 0; k < f->graph->n_inputs; k++) {
    int32_t id = f->graph->inputs[k];
    hy__item_drop(&e->items, f->slots[id]);
    f->slots[id] = in[k];
  }
  for (size_t k = 0; k + f->graph->n_inputs < f->n_in; k++) {
    int32_t id = f->captured[k];
    hy__item *seen = f->outer ? f->outer->slots[f->graph->values[id].outer] : NULL;
    if (seen) f->slots[id] = hy__item_keep(seen);
  }
}

static hy_status frame_run(hy__evaluator *e, hy__frame *f, hy__item **in, hy__item **out,
                           hy_error *err) {
  bool done = false;
  frame_enter(e, f, in);
  memset(out, 0, f->n_outputs * sizeof *out);
  hy_status status = body_run(e, f, out, &done, err);
  if (status == HY_OK && !done) {
    status = nodes_run(e, f, err);
    for (size_t k = 0; k < f->n_outputs && status == HY_OK; k++) {
      hy__item *made = f->slots[f->outputs[k]];
      if (made)
        out[k] = hy__item_keep(made);
      else
        status = hy__error_set(err, HY_INTERNAL, "output '%s' is not made",
                               f->graph->values[f->outputs[k]].name);
    }
    if (status != HY_OK) hy__item_drop_all(&e->items, out, f->n_outputs);
  }
  for (size_t v = 0; v < f->graph->n_values; v++) slot_drop(e, f, (int32_t)v);
  return status;
}

/* --- the evaluator --- */

hy_status hy__evaluator_create(const hy__evaluator_options *options, hy__evaluator **out,
                               hy_error *err) {
  const hy_allocator *a = hy__runtime_allocator(options->common.runtime);
  hy__arena *arena;
  void *memory;
  HY_TRY(hy__arena_create(a, ARENA_BLOCK, 0, &arena, err));
  hy_status status = hy__arena_alloc(arena, sizeof(hy__evaluator), HY_ALIGN, &memory, err);
  if (status != HY_OK) {
    hy__arena_destroy(arena);
    return status;
  }
  hy__evaluator *e = memory;
  *e = (hy__evaluator){.common = options->common, .allocator = a, .arena = arena};
  e->common.outputs = options->outputs;
  e->common.n_outputs = options->n_outputs;
  e->items = (hy__items){.allocator = a, .max_bytes = options->max_bytes};
  status = hy__frame_make(e, options->graph, NULL, &e->main, err);
  if (status != HY_OK) {
    hy__evaluator_destroy(e);
    return status;
  }
  *out = e;
  return HY_OK;
}

void hy__evaluator_destroy(hy__evaluator *e) {
  if (!e) return;
  for (hy__frame *f = e->frames; f; f = f->next) {
    for (size_t i = 0; i < f->n_plans; i++) hy__plan_destroy(f->plans[i]);
    for (size_t n = 0; n < f->n_nodes; n++)
      if (f->nodes[n].single) hy__plan_destroy(f->nodes[n].single->plan);
    hy__item_drop_all(&e->items, f->slots, f->n_values);
  }
  hy__free(e->allocator, e->memory, e->memory_bytes);
  hy__arena_destroy(e->arena);
}

hy_status hy__evaluator_run(hy__evaluator *e, hy__item **in, hy__item **out, hy_error *err) {
  return frame_run(e, e->main, in, out, err);
}
