/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: what is known of a graph before it is evaluated for the first time. Constants have their
 * items for good; a Constant node's tensor counts as one. */
#include "engine/evaluate.h"

static void use(hy__frame *f, int32_t value, int32_t node) {
  if (value >= 0 && f->last[value] < node) f->last[value] = node;
}

/* captured: room for those of the node. */
static void uses_mark(hy__frame *f, int32_t *captured) {
  for (size_t n = 0; n < f->graph->n_nodes; n++) {
    const hy__node *node = &f->graph->nodes[n];
    if (!f->needed[n]) continue;
    for (size_t k = 0; k < node->n_inputs; k++) use(f, node->inputs[k], (int32_t)n);
    size_t n_captured = hy__node_captures(node, captured);
    for (size_t k = 0; k < n_captured; k++) use(f, captured[k], (int32_t)n);
  }
  for (size_t k = 0; k < f->n_outputs; k++) f->last[f->outputs[k]] = HY__FRAME_KEPT;
}

static const hy_tensor *constant_of(const hy__graph *graph, size_t v, bool *made_by_node) {
  const hy__value *value = &graph->values[v];
  *made_by_node = false;
  if (value->constant) return value->constant;
  if (value->producer < 0) return NULL;
  const hy__node *node = &graph->nodes[value->producer];
  const hy__attr *attr = hy__node_attr(node, "value");
  if (*node->domain || strcmp(node->op_type, "Constant") != 0 || !attr ||
      attr->kind != HY__ATTR_TENSOR)
    return NULL;
  *made_by_node = true;
  return attr->as.tensor;
}

static hy_status constants_make(hy__evaluator *e, hy__frame *f, hy_error *err) {
  for (size_t v = 0; v < f->graph->n_values; v++) {
    bool by_node;
    if (f->last[v] < 0) continue;
    const hy_tensor *t = constant_of(f->graph, v, &by_node);
    if (!t) continue;
    HY_TRY(hy__item_view(&e->items, t, &f->slots[v], err));
    f->slots[v]->stable = true;
    f->last[v] = HY__FRAME_FIXED;
    if (by_node) f->needed[f->graph->values[v].producer] = false;
  }
  return HY_OK;
}

static hy_status lists_make(hy__evaluator *e, hy__frame *f, hy_error *err) {
  void *captured, *slots, *last, *needed, *nodes;
  const hy__graph *g = f->graph;
  HY_TRY(hy__arena_array(e->arena, f->n_in - g->n_inputs + 1, sizeof(int32_t), &captured, err));
  HY_TRY(hy__arena_array(e->arena, g->n_values + 1, sizeof(hy__item *), &slots, err));
  HY_TRY(hy__arena_array(e->arena, g->n_values + 1, sizeof(int32_t), &last, err));
  HY_TRY(hy__arena_array(e->arena, g->n_nodes + 1, sizeof(bool), &needed, err));
  HY_TRY(hy__arena_array(e->arena, g->n_nodes + 1, sizeof(hy__frame_node), &nodes, err));
  f->captured = captured;
  f->slots = slots;
  f->last = last;
  f->needed = needed;
  f->nodes = nodes;
  for (size_t v = 0, k = 0; v < g->n_values; v++) {
    f->last[v] = -1;
    if (g->values[v].outer >= 0 && !g->values[v].constant) f->captured[k++] = (int32_t)v;
  }
  return HY_OK;
}

static hy_status nodes_make(hy__frame *f, size_t *most_captured, hy_error *err) {
  HY_TRY(hy__work_check_ops(f->graph, f->needed, err));
  for (size_t n = 0; n < f->graph->n_nodes; n++) {
    const hy__node *node = &f->graph->nodes[n];
    if (!f->needed[n]) continue;
    f->nodes[n].fn = hy__op_evaluate_find(node);
    f->nodes[n].op = hy__op_find(node->domain, node->op_type, node->version, NULL);
    *most_captured = HY_MAX(*most_captured, hy__node_captures(node, NULL));
  }
  return HY_OK;
}

hy_status hy__frame_make(hy__evaluator *e, const hy__graph *graph, hy__frame *outer,
                         hy__frame **out, hy_error *err) {
  void *memory, *captured;
  size_t most_captured = 0;
  HY_TRY(hy__arena_alloc(e->arena, sizeof(hy__frame), _Alignof(hy__frame), &memory, err));
  hy__frame *f = memory;
  *f = (hy__frame){.graph = graph,
                   .outer = outer,
                   .outputs = outer ? graph->outputs : e->common.outputs,
                   .n_outputs = outer ? graph->n_outputs : e->common.n_outputs,
                   .n_values = graph->n_values,
                   .n_nodes = graph->n_nodes,
                   .n_in = graph->n_inputs + hy__graph_captures(graph, NULL)};
  HY_TRY(lists_make(e, f, err));
  hy__work_needed(graph, f->outputs, f->n_outputs, f->needed);
  HY_TRY(nodes_make(f, &most_captured, err));
  HY_TRY(hy__arena_array(e->arena, most_captured + 1, sizeof(int32_t), &captured, err));
  uses_mark(f, captured);
  f->next = e->frames; /* from here on the evaluator drops what it holds */
  e->frames = f;
  *out = f;
  hy_status status = constants_make(e, f, err);
  if (status != HY_OK) f->graph = NULL; /* not to be found */
  return status;
}

/* --- single nodes --- */

static void single_value(hy__single *s, size_t id, const char *name) {
  s->graph.values[id] = (hy__value){.name = name, .rank = -1, .producer = -1, .outer = -1};
}

static void single_fill(const hy__frame *f, const hy__node *node, hy__single *s, int32_t *ids) {
  int32_t *in = ids, *out = in + node->n_inputs, *inputs = out + node->n_outputs;
  int32_t *outputs = inputs + node->n_inputs;
  hy__graph *g = &s->graph;
  for (size_t k = 0; k < node->n_inputs; k++) {
    int32_t id = node->inputs[k];
    in[k] = id < 0 ? HY__ABSENT : (int32_t)k;
    single_value(s, k, id < 0 ? "" : f->graph->values[id].name);
    if (id < 0) continue;
    s->sources[g->n_inputs] = id;
    inputs[g->n_inputs++] = in[k];
  }
  for (size_t k = 0; k < node->n_outputs; k++) {
    int32_t id = node->outputs[k];
    size_t own = node->n_inputs + k;
    out[k] = id < 0 ? HY__ABSENT : (int32_t)own;
    single_value(s, own, id < 0 ? "" : f->graph->values[id].name);
    g->values[own].producer = 0;
    if (id >= 0 && f->last[id] >= 0) outputs[g->n_outputs++] = out[k];
  }
  *g->nodes = *node;
  g->nodes->inputs = in;
  g->nodes->outputs = out;
  g->inputs = inputs;
  g->outputs = outputs;
}

hy_status hy__frame_single(hy__evaluator *e, const hy__frame *f, size_t n, hy__single **out,
                           hy_error *err) {
  void *memory, *values, *nodes, *sources, *ids;
  const hy__node *node = &f->graph->nodes[n];
  size_t n_values = node->n_inputs + node->n_outputs;
  HY_TRY(hy__arena_alloc(e->arena, sizeof(hy__single), _Alignof(hy__single), &memory, err));
  HY_TRY(hy__arena_array(e->arena, n_values + 1, sizeof(hy__value), &values, err));
  HY_TRY(hy__arena_array(e->arena, 1, sizeof(hy__node), &nodes, err));
  HY_TRY(hy__arena_array(e->arena, node->n_inputs + 1, sizeof(int32_t), &sources, err));
  HY_TRY(hy__arena_array(e->arena, 2 * n_values + 1, sizeof(int32_t), &ids, err));
  hy__single *s = memory;
  s->graph =
      (hy__graph){.name = "", .values = values, .n_values = n_values, .nodes = nodes, .n_nodes = 1};
  s->sources = sources;
  single_fill(f, node, s, ids);
  *out = s;
  return HY_OK;
}
