/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that compute the same of the same values become one; small known values that are alike
 * count as the same. Exact. */
#include "pass/rewrite.h"

enum { SMALL_BYTES = 64 };

typedef struct table {
  hy__work *w;
  int32_t *slots; /* node or value + 1, 0 where empty; a power of two of them */
  size_t n_slots;
} table;

/* Of the beginning: lists that differ mostly do so early, and who is alike is compared wholly. */
static uint64_t list_hash(const void *items, size_t n, size_t each, uint64_t seed) {
  enum { HASHED_BYTES = 512 };
  return hy__hash64(items, HY_MIN(n * each, (size_t)HASHED_BYTES), seed ^ n);
}

static uint64_t attr_hash(const hy__attr *a, uint64_t seed) {
  seed = hy__hash64(a->name, strlen(a->name), seed ^ a->kind);
  switch (a->kind) {
  case HY__ATTR_INT: return hy__hash64(&a->as.i, sizeof a->as.i, seed);
  case HY__ATTR_FLOAT: return hy__hash64(&a->as.f, sizeof a->as.f, seed);
  case HY__ATTR_STRING: return hy__hash64(a->as.s.data, a->as.s.len_bytes, seed);
  case HY__ATTR_INTS: return list_hash(a->as.ints, a->n, sizeof *a->as.ints, seed);
  case HY__ATTR_FLOATS: return list_hash(a->as.floats, a->n, sizeof *a->as.floats, seed);
  case HY__ATTR_LIST: return list_hash(a->as.bytes, a->n, 1, seed);
  default: return seed;
  }
}

static bool same_attr(const hy__attr *a, const hy__attr *b) {
  if (a->kind != b->kind || a->n != b->n || strcmp(a->name, b->name) != 0) return false;
  switch (a->kind) {
  case HY__ATTR_INT: return a->as.i == b->as.i;
  case HY__ATTR_FLOAT: return memcmp(&a->as.f, &b->as.f, sizeof a->as.f) == 0;
  case HY__ATTR_STRING:
    return a->as.s.len_bytes == b->as.s.len_bytes &&
           !memcmp(a->as.s.data, b->as.s.data, a->as.s.len_bytes);
  case HY__ATTR_INTS: return !memcmp(a->as.ints, b->as.ints, a->n * sizeof *a->as.ints);
  case HY__ATTR_FLOATS: return !memcmp(a->as.floats, b->as.floats, a->n * sizeof *a->as.floats);
  case HY__ATTR_LIST: return !memcmp(a->as.bytes, b->as.bytes, a->n);
  default: return a == b;
  }
}

static uint64_t node_hash(const hy__work *w, const hy__node *node) {
  uint64_t h = hy__hash64(node->op_type, strlen(node->op_type), node->n_outputs);
  for (size_t k = 0; k < node->n_inputs; k++) {
    const int32_t id = hy__work_resolve(w, node->inputs[k]);
    h = hy__hash64(&id, sizeof id, h);
  }
  for (size_t i = 0; i < node->n_attrs; i++) h = attr_hash(&node->attrs[i], h);
  return h;
}

static bool same_node(const hy__work *w, const hy__work_node *a, const hy__work_node *b) {
  const hy__node *x = &a->node, *y = &b->node;
  if (a->op != b->op || x->version != y->version || x->n_inputs != y->n_inputs ||
      x->n_outputs != y->n_outputs || x->n_attrs != y->n_attrs)
    return false;
  for (size_t k = 0; k < x->n_inputs; k++)
    if (hy__work_resolve(w, x->inputs[k]) != hy__work_resolve(w, y->inputs[k])) return false;
  for (size_t k = 0; k < x->n_outputs; k++) /* one leaves out what the other gives */
    if ((x->outputs[k] < 0) != (y->outputs[k] < 0)) return false;
  for (size_t i = 0; i < x->n_attrs; i++)
    if (!same_attr(&x->attrs[i], &y->attrs[i])) return false;
  return true;
}

/* An operator whose result hangs on its inputs alone. */
static bool is_function(const hy__work_node *node) {
  if (node->dead || !node->op->pure || node->n_captured) return false;
  for (size_t i = 0; i < node->node.n_attrs; i++)
    if (node->node.attrs[i].kind == HY__ATTR_GRAPH) return false;
  return true;
}

/* The node that is like n and stands before it, or -1; n enters the table then. */
static int32_t earlier(table *t, int32_t n) {
  const hy__work_node *nodes = t->w->nodes;
  size_t at = (size_t)node_hash(t->w, &nodes[n].node) & (t->n_slots - 1);
  for (; t->slots[at]; at = (at + 1) & (t->n_slots - 1))
    if (same_node(t->w, &nodes[t->slots[at] - 1], &nodes[n])) return t->slots[at] - 1;
  t->slots[at] = n + 1;
  return -1;
}

static bool is_small(const hy_tensor *t) {
  return t->data && t->dtype != HY_STRING && hy__work_bytes(t) <= SMALL_BYTES;
}

static bool same_value(const hy_tensor *a, const hy_tensor *b) {
  return a->dtype == b->dtype && a->rank == b->rank &&
         !memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) &&
         !memcmp(a->data, b->data, hy__work_bytes(a));
}

/* Forwards small known values to the first that is alike. */
static void join_known(table *t) {
  hy__work *w = t->w;
  for (size_t v = 0; v < w->n_values; v++) {
    const hy_tensor *x = &w->values[v].t;
    if (w->values[v].forward >= 0 || !is_small(x)) continue;
    size_t at = (size_t)hy__hash64(x->data, hy__work_bytes(x), x->dtype) & (t->n_slots - 1);
    while (t->slots[at] && !same_value(&w->values[t->slots[at] - 1].t, x))
      at = (at + 1) & (t->n_slots - 1);
    if (t->slots[at])
      hy__work_forward(w, (int32_t)v, t->slots[at] - 1);
    else
      t->slots[at] = (int32_t)v + 1;
  }
}

static size_t join_nodes(table *t) {
  hy__work *w = t->w;
  size_t n_joined = 0;
  for (size_t i = 0; i < w->n_nodes; i++) {
    if (!is_function(&w->nodes[i])) continue;
    const int32_t first = earlier(t, (int32_t)i);
    if (first < 0) continue;
    const hy__node *from = &w->nodes[i].node, *to = &w->nodes[first].node;
    for (size_t k = 0; k < from->n_outputs; k++)
      if (from->outputs[k] >= 0) hy__work_forward(w, from->outputs[k], to->outputs[k]);
    w->nodes[i].dead = true;
    n_joined++;
  }
  return n_joined;
}

hy_status hy__pass_eliminate_duplicates(hy__work *w, size_t *n_rewrites, hy_error *err) {
  table t = {.w = w, .n_slots = 64};
  void *memory;
  while (t.n_slots < 2 * HY_MAX(w->n_nodes, w->n_values)) t.n_slots *= 2;
  const size_t bytes = t.n_slots * sizeof(int32_t);
  HY_TRY(hy__alloc_zero(w->allocator, bytes, &memory, err));
  t.slots = memory;
  join_known(&t);
  memset(memory, 0, bytes);
  *n_rewrites += join_nodes(&t);
  hy__free(w->allocator, memory, bytes);
  if (!*n_rewrites) hy__work_count(w); /* known values alone are no rewrite, but are resolved */
  return HY_OK;
}
