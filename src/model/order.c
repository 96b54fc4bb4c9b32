/* SPDX-License-Identifier: Apache-2.0 */
/* Topological order of a graph's nodes. Files are mostly in order already, which one walk proves.
 */
#include <stdio.h>

#include "model/onnx.h"

typedef struct sorter {
  hy__graph *g;
  int32_t *waits; /* per node: inputs not made yet */
  int32_t *head, *next,
      *user; /* per value a list of (edge) users; per edge its next and its node */
  int32_t *queue;
  size_t n_edges;
} sorter;

typedef void (*edge_fn)(sorter *s, int32_t value, int32_t node);

/* Calls fn for each value of this graph that the node needs: its inputs and what its subgraphs
 * capture. */
static void each_need(sorter *s, const hy__node *node, int32_t index, edge_fn fn) {
  for (size_t k = 0; k < node->n_inputs; k++)
    if (node->inputs[k] >= 0) fn(s, node->inputs[k], index);
  for (size_t a = 0; a < node->n_attrs; a++) {
    if (node->attrs[a].kind != HY__ATTR_GRAPH) continue;
    const hy__graph *sub = node->attrs[a].as.graph;
    for (size_t v = 0; v < sub->n_values; v++)
      if (sub->values[v].outer >= 0) fn(s, sub->values[v].outer, index);
  }
}

static void count_edge(sorter *s, int32_t value, int32_t node) {
  (void)value, (void)node;
  s->n_edges++;
}

static void late_edge(sorter *s, int32_t value, int32_t node) {
  s->n_edges += s->g->values[value].producer >= node;
}

static void add_edge(sorter *s, int32_t value, int32_t node) {
  if (s->g->values[value].producer < 0) return;
  int32_t edge = (int32_t)s->n_edges++;
  s->user[edge] = node;
  s->next[edge] = s->head[value];
  s->head[value] = edge;
  s->waits[node]++;
}

static void set_producers(hy__graph *g) {
  for (size_t n = 0; n < g->n_nodes; n++)
    for (size_t k = 0; k < g->nodes[n].n_outputs; k++)
      if (g->nodes[n].outputs[k] >= 0) g->values[g->nodes[n].outputs[k]].producer = (int32_t)n;
}

/* A node that waits has an input whose producer waits: following those must come round. */
static hy_status refuse_cycle(const sorter *s, hy_error *err) {
  const hy__graph *g = s->g;
  int32_t at = 0;
  while (s->waits[at] <= 0) at++;
  char text[200];
  size_t used = 0, shown = 0;
  int32_t begin = -1;
  for (size_t step = 0; step < 2 * g->n_nodes + 1; step++) {
    int32_t before = -1;
    for (int32_t n = 0; n < (int32_t)g->n_nodes && before < 0; n++) {
      if (s->waits[n] <= 0) continue;
      for (size_t k = 0; k < g->nodes[n].n_outputs && before < 0; k++)
        for (int32_t e = g->nodes[n].outputs[k] < 0 ? -1 : s->head[g->nodes[n].outputs[k]];
             e >= 0 && before < 0; e = s->next[e])
          if (s->user[e] == at) before = n;
    }
    at = before;
    if (step < g->n_nodes) continue; /* by now inside the cycle */
    if (begin == at || shown == 4) break;
    if (begin < 0) begin = at;
    const hy__node *node = &g->nodes[at];
    int n = snprintf(text + used, sizeof text - used, "%s'%.24s' (%.16s)", shown++ ? " <- " : "",
                     node->name, node->op_type);
    used = HY_MIN(used + (size_t)n, sizeof text - 1);
  }
  HY_FAIL(HY_BAD_FORMAT, err, "the graph has a cycle: %s%s", text, shown == 4 ? " <- ..." : "");
}

static hy_status sort(sorter *s, hy__arena *arena, hy_error *err) {
  hy__graph *g = s->g;
  s->n_edges = 0;
  for (size_t v = 0; v < g->n_values; v++) s->head[v] = -1;
  for (size_t n = 0; n < g->n_nodes; n++) each_need(s, &g->nodes[n], (int32_t)n, add_edge);
  size_t tail = 0;
  for (size_t n = 0; n < g->n_nodes; n++)
    if (!s->waits[n]) s->queue[tail++] = (int32_t)n;
  for (size_t at = 0; at < tail; at++) {
    const hy__node *node = &g->nodes[s->queue[at]];
    for (size_t k = 0; k < node->n_outputs; k++)
      for (int32_t e = node->outputs[k] < 0 ? -1 : s->head[node->outputs[k]]; e >= 0;
           e = s->next[e])
        if (--s->waits[s->user[e]] == 0) s->queue[tail++] = s->user[e];
  }
  if (tail < g->n_nodes) return refuse_cycle(s, err);
  void *nodes;
  HY_TRY(hy__arena_array(arena, g->n_nodes + 1, sizeof(hy__node), &nodes, err));
  for (size_t n = 0; n < g->n_nodes; n++) ((hy__node *)nodes)[n] = g->nodes[s->queue[n]];
  g->nodes = nodes;
  set_producers(g);
  return HY_OK;
}

hy_status hy__graph_sort(hy__graph *g, hy__arena *arena, const hy_allocator *a, hy_error *err) {
  sorter s = {.g = g};
  set_producers(g);
  for (size_t n = 0; n < g->n_nodes; n++) each_need(&s, &g->nodes[n], (int32_t)n, late_edge);
  if (!s.n_edges) return HY_OK;
  s.n_edges = 0;
  for (size_t n = 0; n < g->n_nodes; n++) each_need(&s, &g->nodes[n], (int32_t)n, count_edge);
  HY_FAIL_IF(s.n_edges > INT32_MAX / 2, HY_LIMIT, err, "the graph has %zu edges", s.n_edges);
  size_t n_ints = 2 * g->n_nodes + g->n_values + 2 * s.n_edges;
  void *ints;
  HY_TRY(hy__alloc_zero(a, n_ints * sizeof(int32_t), &ints, err));
  s.waits = ints;
  s.queue = s.waits + g->n_nodes;
  s.head = s.queue + g->n_nodes;
  s.next = s.head + g->n_values;
  s.user = s.next + s.n_edges;
  hy_status status = sort(&s, arena, err);
  hy__free(a, ints, n_ints * sizeof(int32_t));
  return status;
}
