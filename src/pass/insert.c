/* SPDX-License-Identifier: Apache-2.0 */
/* New nodes of the working graph: added at its end, and the order of execution restored after. */
#include "pass/rewrite.h"

static hy_status append(hy__work *w, const hy__work_node *node, hy_error *err) {
  if (w->n_nodes == w->nodes_capacity) {
    void *nodes = w->nodes;
    HY_TRY(hy__grow(w->allocator, &nodes, &w->nodes_capacity, HY_MAX(w->n_nodes + 1, (size_t)64),
                    sizeof(hy__work_node), err));
    w->nodes = nodes;
  }
  w->nodes[w->n_nodes++] = *node;
  w->unordered = true;
  return HY_OK;
}

static hy_status ids_keep(hy__work *w, const int32_t *from, size_t n, const int32_t **out,
                          hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(w->arena, n + 1, sizeof(int32_t), &memory, err));
  if (n) memcpy(memory, from, n * sizeof(int32_t));
  *out = memory;
  return HY_OK;
}

hy_status hy__work_add(hy__work *w, int32_t like, const hy__work_rewrite *to, int32_t *out,
                       hy_error *err) {
  hy__work_node made = {.node = w->nodes[like].node};
  hy__work_known known = HY__WORK_UNKNOWN;
  hy__op_plan view;
  hy_error why;
  int32_t id = HY__ABSENT;
  *out = HY__ABSENT;
  made.op = hy__op_find(to->domain, to->op_type, to->version, NULL);
  if (!made.op) return HY_OK;
  if (!to->outputs) HY_TRY(hy__work_value_new(w, NULL, made.node.name, &id, err));
  const int32_t *outputs = to->outputs ? to->outputs : &id;
  made.node.n_outputs = to->outputs ? to->n_outputs : 1;
  for (size_t k = 0; k < made.node.n_outputs; k++)
    if (outputs[k] >= 0) w->values[outputs[k]].uses = 1;
  made.node.domain = to->domain;
  made.node.op_type = to->op_type;
  made.node.version = to->version;
  made.node.attrs = to->attrs;
  made.node.n_attrs = to->n_attrs;
  made.node.n_inputs = to->n_inputs;
  HY_TRY(ids_keep(w, to->inputs, to->n_inputs, &made.node.inputs, err));
  HY_TRY(ids_keep(w, outputs, made.node.n_outputs, &made.node.outputs, err));
  hy_status status = hy__work_view(w, &made, &view, &why);
  if (status == HY_OK) status = hy__work_fold(w, &view, made.op, NULL, &known, &why);
  HY_FAIL_IF(status == HY_OUT_OF_MEMORY, status, err, "%s", why.message);
  if (status != HY_OK) return HY_OK;
  for (size_t k = made.node.n_outputs; k-- > 0;) {
    if (outputs[k] < 0) continue;
    hy__work_value *v = &w->values[outputs[k]];
    v->t = view.out[k];
    if (known == HY__WORK_UNKNOWN) {
      v->t.data = NULL;
      v->producer = (int32_t)w->n_nodes;
    }
    *out = outputs[k];
  }
  return known == HY__WORK_UNKNOWN ? append(w, &made, err) : HY_OK;
}

/* --- order --- */

typedef struct order {
  hy__work *w;
  int32_t *producer; /* per value */
  int32_t *stack;
  bool *placed; /* per node */
  hy__work_node *out;
  size_t n_out;
} order;

/* The first maker of an input of n that has no place yet, else -1. */
static int32_t missing(const order *o, int32_t n) {
  const hy__node *node = &o->w->nodes[n].node;
  for (size_t k = 0; k < node->n_inputs; k++) {
    const int32_t id = hy__work_resolve(o->w, node->inputs[k]);
    const int32_t maker = id < 0 ? -1 : o->producer[id];
    if (maker >= 0 && !o->placed[maker]) return maker;
  }
  return -1;
}

/* Node n after all that it reads, the deepest first. A graph has no cycles, so the stack never
 * holds a node twice. */
static void place(order *o, int32_t n) {
  size_t depth = 0;
  if (o->placed[n]) return;
  o->stack[depth++] = n;
  while (depth) {
    const int32_t top = o->stack[depth - 1], next = missing(o, top);
    if (next >= 0 && depth < o->w->n_nodes) {
      o->stack[depth++] = next;
      continue;
    }
    depth--;
    o->placed[top] = true;
    o->out[o->n_out++] = o->w->nodes[top];
  }
}

hy_status hy__work_sort(hy__work *w, hy_error *err) {
  void *memory;
  const size_t n = w->n_nodes, n_values = w->n_values;
  const size_t bytes = n * (sizeof(hy__work_node) + sizeof(int32_t) + sizeof(bool)) +
                       n_values * sizeof(int32_t) + 64;
  HY_TRY(hy__alloc_zero(w->allocator, bytes, &memory, err));
  order o = {.w = w, .out = memory};
  o.producer = (int32_t *)(void *)(o.out + n);
  o.stack = o.producer + n_values;
  o.placed = (bool *)(o.stack + n);
  for (size_t v = 0; v < n_values; v++) o.producer[v] = -1;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; !w->nodes[i].dead && k < w->nodes[i].node.n_outputs; k++)
      if (w->nodes[i].node.outputs[k] >= 0) o.producer[w->nodes[i].node.outputs[k]] = (int32_t)i;
  for (size_t i = 0; i < n; i++)
    if (!w->nodes[i].dead) place(&o, (int32_t)i);
  memcpy(w->nodes, o.out, o.n_out * sizeof *o.out);
  w->n_nodes = o.n_out;
  w->unordered = false;
  hy__free(w->allocator, memory, bytes);
  hy__work_count(w);
  return HY_OK;
}
