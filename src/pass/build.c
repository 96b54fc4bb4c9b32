/* SPDX-License-Identifier: Apache-2.0 */
/* From the model's graph and concrete input shapes to the working graph: the needed nodes in order,
 * types inferred, known values folded, If with a known condition replaced by its branch. */
#include "pass/rewrite.h"

enum { UNMAPPED = -2 };

/* One graph being walked: the main one, or a branch inside it. */
typedef struct walk {
  const struct walk *outer;
  const hy__graph *graph;
  int32_t *map;  /* source value -> value of the working graph, UNMAPPED, or HY__ABSENT */
  int32_t *uses; /* per source value, by needed nodes */
  bool *needed;  /* per source node */
} walk;

typedef void (*need_fn)(void *ctx, int32_t value);

static void each_need(const hy__node *node, need_fn fn, void *ctx) {
  for (size_t k = 0; k < node->n_inputs; k++)
    if (node->inputs[k] >= 0) fn(ctx, node->inputs[k]);
  for (size_t a = 0; a < node->n_attrs; a++) {
    if (node->attrs[a].kind != HY__ATTR_GRAPH) continue;
    const hy__graph *sub = node->attrs[a].as.graph;
    for (size_t v = 0; v < sub->n_values; v++)
      if (sub->values[v].outer >= 0) fn(ctx, sub->values[v].outer);
  }
}

typedef struct marker {
  const hy__graph *graph;
  bool *needed;
} marker;

static void mark(void *ctx, int32_t value) {
  marker *m = ctx;
  if (m->graph->values[value].producer >= 0) m->needed[m->graph->values[value].producer] = true;
}

void hy__work_needed(const hy__graph *graph, const int32_t *outputs, size_t n_outputs,
                     bool *needed) {
  marker m = {graph, needed};
  for (size_t n = 0; n < graph->n_nodes; n++) needed[n] = false;
  for (size_t k = 0; k < n_outputs; k++) mark(&m, outputs[k]);
  for (size_t n = graph->n_nodes; n-- > 0;)
    if (needed[n]) each_need(&graph->nodes[n], mark, &m);
}

static hy_status op_check(const hy__node *node, size_t index, hy_error *err) {
  bool other;
  if (hy__op_find(node->domain, node->op_type, node->version, &other)) return HY_OK;
  const char *domain = *node->domain ? node->domain : "ai.onnx";
  if (other)
    (void)hy__error_set(
        err, HY_UNSUPPORTED,
        "operator %s of domain %s is not supported at opset %d (other versions are): "
        "node %zu '%s'",
        node->op_type, domain, (int)node->version, index, node->name);
  else
    (void)hy__error_set(err, HY_UNSUPPORTED,
                        "operator %s of domain %s (opset %d) is not supported: node %zu '%s'",
                        node->op_type, domain, (int)node->version, index, node->name);
  hy__error_place(err, 0, 0, node->offset_bytes);
  return HY_UNSUPPORTED;
}

/* Which branch of an If is looked at is known while building; the bodies of others are needed. */
static bool is_if(const hy__node *node) {
  return !*node->domain && strcmp(node->op_type, "If") == 0;
}

hy_status hy__work_check_ops(const hy__graph *graph, const bool *needed, hy_error *err) {
  for (size_t n = 0; n < graph->n_nodes; n++) {
    const hy__node *node = &graph->nodes[n];
    if (needed && !needed[n]) continue;
    HY_TRY(op_check(node, n, err));
    for (size_t a = 0; a < node->n_attrs && !is_if(node); a++)
      if (node->attrs[a].kind == HY__ATTR_GRAPH)
        HY_TRY(hy__work_check_ops(node->attrs[a].as.graph, NULL, err));
  }
  return HY_OK;
}

static void count_use(void *ctx, int32_t value) { ((int32_t *)ctx)[value]++; }

static hy_status walk_make(hy__work *w, const hy__graph *graph, const int32_t *outputs,
                           size_t n_outputs, const walk *outer, walk *out, hy_error *err) {
  void *map, *uses, *needed;
  HY_TRY(hy__arena_array(w->arena, graph->n_values + 1, sizeof(int32_t), &map, err));
  HY_TRY(hy__arena_array(w->arena, graph->n_values + 1, sizeof(int32_t), &uses, err));
  HY_TRY(hy__arena_array(w->arena, graph->n_nodes + 1, sizeof(bool), &needed, err));
  *out = (walk){outer, graph, map, uses, needed};
  for (size_t v = 0; v < graph->n_values; v++) out->map[v] = UNMAPPED;
  hy__work_needed(graph, outputs, n_outputs, out->needed);
  for (size_t n = 0; n < graph->n_nodes; n++)
    if (out->needed[n]) each_need(&graph->nodes[n], count_use, out->uses);
  for (size_t k = 0; k < n_outputs; k++) out->uses[outputs[k]]++;
  return HY_OK;
}

/* The working value of a source value that nodes read: made before, captured, or a constant. */
static hy_status value_of(hy__work *w, const walk *at, int32_t source, int32_t *out,
                          hy_error *err) {
  *out = HY__ABSENT;
  if (source < 0) return HY_OK;
  const hy__value *v = &at->graph->values[source];
  if (at->map[source] == UNMAPPED && v->outer >= 0 && at->outer) {
    HY_TRY(value_of(w, at->outer, v->outer, &at->map[source], err));
  } else if (at->map[source] == UNMAPPED && v->constant) {
    HY_TRY(hy__work_value_new(w, v->constant, v->name, &at->map[source], err));
    w->values[at->map[source]].stable = true;
    w->values[at->map[source]].uses = 1;
  }
  HY_FAIL_IF(at->map[source] == UNMAPPED, HY_INTERNAL, err, "value '%s' is used before it is made",
             v->name);
  *out = at->map[source];
  return HY_OK;
}

static hy_status node_copy(hy__work *w, const walk *at, const hy__node *source, hy__work_node *out,
                           hy_error *err) {
  void *memory;
  size_t n_captured = hy__node_captures(source, NULL), n_in = source->n_inputs + n_captured;
  HY_TRY(hy__arena_array(w->arena, n_in + source->n_outputs + 1, sizeof(int32_t), &memory, err));
  int32_t *inputs = memory, *outputs = inputs + n_in;
  if (source->n_inputs) memcpy(inputs, source->inputs, source->n_inputs * sizeof(int32_t));
  (void)hy__node_captures(source, inputs + source->n_inputs);
  for (size_t k = 0; k < n_in; k++) HY_TRY(value_of(w, at, inputs[k], &inputs[k], err));
  for (size_t k = 0; k < source->n_outputs; k++) {
    int32_t id = source->outputs[k];
    outputs[k] = HY__ABSENT;
    if (id < 0) continue;
    HY_TRY(hy__work_value_new(w, NULL, at->graph->values[id].name, &outputs[k], err));
    w->values[outputs[k]].uses = at->uses[id];
    at->map[id] = outputs[k];
  }
  out->node = *source;
  out->node.inputs = inputs;
  out->node.n_inputs = n_in;
  out->node.outputs = outputs;
  out->n_captured = n_captured;
  out->dead = false;
  out->op = hy__op_find(source->domain, source->op_type, source->version, NULL);
  return HY_OK;
}

static hy_status node_append(hy__work *w, const hy__work_node *node, hy_error *err) {
  if (w->n_nodes == w->nodes_capacity) {
    void *nodes = w->nodes;
    HY_TRY(hy__grow(w->allocator, &nodes, &w->nodes_capacity, HY_MAX(w->n_nodes + 1, (size_t)64),
                    sizeof(hy__work_node), err));
    w->nodes = nodes;
  }
  w->nodes[w->n_nodes++] = *node;
  return HY_OK;
}

/* Remembers of what bytes a known value was made. */
static hy_status dequantised_keep(hy__work *w, const hy__node *node, hy_error *err) {
  void *memory;
  if (*node->domain || strcmp(node->op_type, "DequantizeLinear") != 0) return HY_OK;
  HY_TRY(hy__arena_alloc(w->arena, sizeof *node, _Alignof(hy__node), &memory, err));
  memcpy(memory, node, sizeof *node);
  w->values[node->outputs[0]].dequantised = memory;
  return HY_OK;
}

hy_status hy__work_enter(hy__work *w, const hy__work_node *node, const int32_t *source,
                         hy_error *err) {
  hy__op_plan view;
  hy__work_known known;
  HY_TRY(hy__work_view(w, node, &view, err));
  HY_TRY(hy__work_fold(w, &view, node->op, source, &known, err));
  for (size_t k = 0; k < node->node.n_outputs; k++) {
    int32_t id = node->node.outputs[k];
    if (id < 0) continue;
    w->values[id].t = view.out[k];
    w->values[id].stable = known == HY__WORK_MODEL && view.out[k].data;
    if (known == HY__WORK_UNKNOWN) w->values[id].t.data = NULL;
  }
  if (known == HY__WORK_UNKNOWN) return node_append(w, node, err);
  return dequantised_keep(w, &node->node, err);
}

static hy_status node_walk(hy__work *w, const walk *at, const hy__node *source, hy_error *err) {
  hy__work_node node;
  HY_TRY(node_copy(w, at, source, &node, err));
  HY_FAIL_IF(!node.op, HY_INTERNAL, err, "operator without a row");
  for (size_t k = 0; k < node.node.n_inputs; k++)
    HY_FAIL_IF(node.node.inputs[k] >= 0 && !w->values[node.node.inputs[k]].t.dtype, HY_UNSUPPORTED,
               err, "input %zu is not a tensor", k);
  if (hy__work_is_legacy(&node)) HY_TRY(hy__work_align(w, &node, err));
  if (hy__work_is_qlinear(&node))
    return hy__work_enter_qlinear(w, &node, at->outer ? NULL : source->outputs, err);
  if (hy__work_widens(w, &node))
    return hy__work_enter_wide(w, &node, at->outer ? NULL : source, err);
  return hy__work_enter(w, &node, at->outer ? NULL : source->outputs, err);
}

static hy_status graph_walk(hy__work *w, const walk *at, hy_error *err);

/* If: the nodes of the branch enter in its place where the condition is known by now. */
static hy_status if_walk(hy__work *w, const walk *at, const hy__node *node, hy_error *err) {
  int32_t id;
  HY_FAIL_IF(node->n_inputs != 1, HY_BAD_FORMAT, err, "it takes one input");
  HY_TRY(value_of(w, at, node->inputs[0], &id, err));
  const hy_tensor *condition = hy__work_tensor(w, id);
  HY_FAIL_IF(!condition || condition->dtype != HY_BOOL || hy__work_bytes(condition) != 1,
             HY_BAD_FORMAT, err, "its condition must be one bool");
  if (!condition->data) return node_walk(w, at, node, err);
  const char *name = *(const uint8_t *)condition->data ? "then_branch" : "else_branch";
  const hy__attr *branch = hy__node_attr(node, name);
  HY_FAIL_IF(!branch || branch->kind != HY__ATTR_GRAPH ||
                 branch->as.graph->n_outputs != node->n_outputs || branch->as.graph->n_inputs,
             HY_BAD_FORMAT, err, "%s is missing or does not fit its outputs", name);
  walk inner;
  const hy__graph *sub = branch->as.graph;
  HY_TRY(hy__work_check_ops(sub, NULL, err));
  HY_TRY(walk_make(w, sub, sub->outputs, sub->n_outputs, at, &inner, err));
  HY_TRY(graph_walk(w, &inner, err));
  for (size_t k = 0; k < node->n_outputs; k++) {
    if (node->outputs[k] < 0) continue;
    HY_TRY(value_of(w, &inner, sub->outputs[k], &at->map[node->outputs[k]], err));
  }
  return HY_OK;
}

static hy_status graph_walk(hy__work *w, const walk *at, hy_error *err) {
  for (size_t n = 0; n < at->graph->n_nodes; n++) {
    const hy__node *node = &at->graph->nodes[n];
    if (!at->needed[n]) continue;
    hy_status status = is_if(node) ? if_walk(w, at, node, err) : node_walk(w, at, node, err);
    if (status != HY_OK) return hy__work_blame(node, status, err);
  }
  return HY_OK;
}

static hy_status input_add(hy__work *w, const walk *at, const hy__work_source *from, size_t k,
                           int32_t id, hy_error *err) {
  w->inputs[k] = HY__ABSENT;
  if (!at->uses[id]) return HY_OK;
  HY_TRY(hy__work_value_new(w, &from->inputs[k], at->graph->values[id].name, &w->inputs[k], err));
  hy__work_value *v = &w->values[w->inputs[k]];
  v->uses = at->uses[id];
  v->stable = from->stable && from->stable[k] && v->t.data;
  at->map[id] = w->inputs[k];
  return HY_OK;
}

hy_status hy__work_build(hy__work *w, const hy__work_source *from, hy_error *err) {
  walk at;
  void *ids;
  const hy__graph *graph = from->graph;
  HY_TRY(walk_make(w, graph, from->outputs, from->n_outputs, NULL, &at, err));
  w->n_inputs = graph->n_inputs + hy__graph_captures(graph, NULL);
  w->n_outputs = from->n_outputs;
  HY_TRY(hy__arena_array(w->arena, w->n_inputs + w->n_outputs + 1, sizeof(int32_t), &ids, err));
  w->inputs = ids;
  w->outputs = w->inputs + w->n_inputs;
  size_t k = 0;
  for (; k < graph->n_inputs; k++) HY_TRY(input_add(w, &at, from, k, graph->inputs[k], err));
  for (size_t v = 0; v < graph->n_values; v++)
    if (graph->values[v].outer >= 0 && !graph->values[v].constant)
      HY_TRY(input_add(w, &at, from, k++, (int32_t)v, err));
  HY_TRY(graph_walk(w, &at, err));
  for (k = 0; k < w->n_outputs; k++)
    HY_TRY(value_of(w, &at, from->outputs[k], &w->outputs[k], err));
  return HY_OK;
}
