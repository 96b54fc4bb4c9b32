/* SPDX-License-Identifier: Apache-2.0
 * Packing a forest: modes and missing directions become key comparisons, siblings become
 * neighbours, trees are laid out level by level. */
#include <math.h>
#include <string.h>

#include "kernel/tree/key.h"
#include "kernel/tree/tree.h"

/* A packed node to be: a node of the source, or one half of an equality. */
typedef struct task {
  uint32_t node;
  uint32_t at; /* index in the tree */
  uint32_t depth;
  uint32_t part; /* 0: the node; 1: the second comparison of an equality */
} task;

typedef struct packer {
  const hy__tree_source *source;
  hy__forest *forest;
  hy__tree_node *narrow;
  hy__tree_node_wide *wide;
  uint32_t *leaf_begin, *leaf_target;
  double *leaf_weight;
  task *queue;
  uint32_t *memo; /* by source node: 1 + its children's place, or 1 + its leaf's number */
  uint8_t *seen;  /* by source node: it has a parent */
  size_t n_leaves, n_weights, base, n_tree, n_queue;
  uint32_t depth;
} packer;

/* Nodes after equalities have become two comparisons: one more pair of slots for each. */
static size_t packed_nodes(const hy__tree_source *s) {
  size_t n = s->n_nodes;
  for (size_t i = 0; i < s->n_nodes; ++i)
    if (s->mode[i] == HY__TREE_EQ || s->mode[i] == HY__TREE_NEQ) n += 2;
  return n;
}

size_t hy__forest_work_bytes(const hy__tree_source *s) {
  return packed_nodes(s) * sizeof(task) + s->n_nodes * (sizeof(uint32_t) + 1);
}

static bool is_single(const hy__tree_source *s) {
  if (s->n_targets != 1) return false;
  for (size_t i = 0; i < s->n_nodes; ++i) {
    if (s->mode[i] != HY__TREE_LEAF) continue;
    if (s->weight_begin[i + 1] - s->weight_begin[i] != 1) return false;
    if (!s->f64 && (double)(float)s->weight[s->weight_begin[i]] != s->weight[s->weight_begin[i]])
      return false;
  }
  return true;
}

/* Sixteen bits address a tree's nodes and a row's slots: a tree that is larger makes all wide. */
static bool is_wide(const hy__tree_source *s) {
  if (s->f64 || 2 * s->n_features >= UINT16_MAX) return true;
  size_t largest = 0, n = 0, next = 0; /* trees stand in one piece each, as roots rise */
  if (s->n_nodes < UINT16_MAX / 3) return false;
  for (size_t i = 0; i < s->n_nodes; ++i, ++n) {
    if (next < s->n_trees && s->roots[next] == i) next++, n = 0;
    n += 2u * (s->mode[i] == HY__TREE_EQ || s->mode[i] == HY__TREE_NEQ);
    if (n > largest) largest = n;
  }
  return next != s->n_trees || largest >= UINT16_MAX;
}

static size_t node_bytes(const hy__tree_source *s) {
  return is_wide(s) ? sizeof(hy__tree_node_wide) : sizeof(hy__tree_node);
}

/* Adds n elements of `each` bytes, aligned to a cache line. */
static bool reserve(size_t *total, size_t n, size_t each) {
  size_t bytes;
  return hy__mul(n, each, &bytes) && hy__add(*total, bytes, total) &&
         hy__round_up(*total, HY_ALIGN, total);
}

bool hy__forest_bytes(const hy__tree_source *s, size_t *out) {
  size_t nodes = packed_nodes(s);
  *out = 0;
  return nodes < (size_t)1 << 31 && reserve(out, 1, sizeof(hy__forest)) &&
         reserve(out, nodes, node_bytes(s)) && reserve(out, s->n_trees, 4) &&
         reserve(out, s->n_trees, 4) &&
         (is_single(s) || (reserve(out, s->n_nodes + 1, 4) && reserve(out, s->n_weights, 4) &&
                           reserve(out, s->n_weights, 8)));
}

static void *take(char **at, size_t n, size_t each) {
  void *p = *at;
  *at += (n * each + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN;
  return p;
}

static void lay_out(packer *p, void *block) {
  const hy__tree_source *s = p->source;
  char *at = block;
  hy__forest *f = take(&at, 1, sizeof *f);
  size_t nodes = packed_nodes(s);
  *f = (hy__forest){.n_trees = s->n_trees,
                    .n_features = s->n_features,
                    .n_targets = s->n_targets,
                    .wide = is_wide(s),
                    .single = is_single(s)};
  p->forest = f;
  void *memory = take(&at, nodes, f->wide ? sizeof *p->wide : sizeof *p->narrow);
  f->nodes = memory;
  if (f->wide)
    p->wide = memory;
  else
    p->narrow = memory;
  f->base = take(&at, s->n_trees, 4);
  f->depth = take(&at, s->n_trees, 4);
  if (f->single) return;
  f->leaf_begin = p->leaf_begin = take(&at, s->n_nodes + 1, 4);
  f->leaf_target = p->leaf_target = take(&at, s->n_weights, 4);
  f->leaf_weight = p->leaf_weight = take(&at, s->n_weights, 8);
}

static void put(packer *p, uint32_t at, int64_t key, uint32_t slot, uint32_t left) {
  if (p->wide)
    p->wide[p->base + at] = (hy__tree_node_wide){key, slot, left};
  else
    p->narrow[p->base + at] = (hy__tree_node){(int32_t)key, (uint16_t)slot, (uint16_t)left};
}

static void put_leaf(packer *p, const task *t) {
  const hy__tree_source *s = p->source;
  p->depth = HY_MAX(p->depth, t->depth);
  const uint32_t begin = s->weight_begin[t->node], end = s->weight_begin[t->node + 1];
  int64_t key = (int64_t)p->n_leaves;
  if (p->forest->single && p->wide) {
    memcpy(&key, &s->weight[begin], sizeof key);
  } else if (p->forest->single) {
    float w = (float)s->weight[begin];
    int32_t bits;
    memcpy(&bits, &w, sizeof bits);
    key = bits;
  } else if (p->memo[t->node]) {
    key = p->memo[t->node] - 1;
  } else {
    p->memo[t->node] = (uint32_t)p->n_leaves + 1;
    for (uint32_t i = begin; i < end; ++i, ++p->n_weights) {
      p->leaf_target[p->n_weights] = s->target[i];
      p->leaf_weight[p->n_weights] = s->weight[i];
    }
    p->leaf_begin[++p->n_leaves] = (uint32_t)p->n_weights;
  }
  put(p, t->at, key, (uint32_t)(2 * s->n_features), t->at);
}

/* What a comparison does with its left (key of x <= key) and right child. */
typedef struct branch {
  int64_t key;
  bool missing_left;
  task left, right;
} branch;

static task child(const task *t, uint32_t node, uint32_t part) {
  return (task){.node = node, .depth = t->depth + 1, .part = part};
}

/* NaN differs from every threshold, so NEQ holds for it whatever the flag says. */
static bool missing_true(const hy__tree_source *s, uint32_t node) {
  return s->missing_true[node] != 0 || s->mode[node] == HY__TREE_NEQ;
}

static branch plan_branch(const hy__tree_source *s, const task *t) {
  const uint32_t i = t->node;
  const bool missing = missing_true(s, i);
  const int64_t key =
      s->f64 ? hy__tree_key_f64(s->threshold[i]) : hy__tree_key_f32((float)s->threshold[i]);
  const task yes = child(t, s->if_true[i], 0), no = child(t, s->if_false[i], 0);
  switch (s->mode[i]) {
  case HY__TREE_LEQ: return (branch){key, missing, yes, no};
  case HY__TREE_LT: return (branch){key - 1, missing, yes, no};
  case HY__TREE_GTE: return (branch){key - 1, !missing, no, yes};
  case HY__TREE_GT: return (branch){key, !missing, no, yes};
  default: break;
  }
  /* Equality in two steps: x <= t, then x > t's predecessor. The other branch hangs on both. */
  const bool negated = s->mode[i] == HY__TREE_NEQ;
  const task equal = negated ? no : yes, other = negated ? yes : no;
  const bool missing_equal = missing != negated;
  if (t->part == 0) {
    task beside = other;
    beside.depth++; /* the copy of it hangs a level lower */
    return (branch){key, missing_equal, child(t, i, 1), beside};
  }
  return (branch){key - 1, !missing_equal, other, equal};
}

/* The branch of an equality that only equal values take. */
static uint32_t equal_child(const hy__tree_source *s, uint32_t node) {
  return s->mode[node] == HY__TREE_NEQ ? s->if_false[node] : s->if_true[node];
}

/* A NaN threshold is never passed: every number takes if_false. */
static void never(const hy__tree_source *s, const task *t, branch *b) {
  b->key = s->f64 ? INT64_MIN : INT32_MIN;
  b->left = child(t, s->if_true[t->node], 0);
  b->right = child(t, s->if_false[t->node], 0);
  b->missing_left = missing_true(s, t->node);
  if (s->mode[t->node] == HY__TREE_NEQ) { /* every number differs from NaN */
    b->left = child(t, s->if_false[t->node], 0);
    b->right = child(t, s->if_true[t->node], 0);
    b->missing_left = false;
  }
}

/* A child takes a place; a second copy of an equality's other branch has its parent already. */
static hy_status place(packer *p, task t, bool copy, hy_error *err) {
  const hy__tree_source *s = p->source;
  HY_FAIL_IF(t.node >= s->n_nodes, HY_BAD_FORMAT, err, "a tree names a node that does not exist");
  if (t.part == 0 && !copy) {
    HY_FAIL_IF(p->seen[t.node], HY_BAD_FORMAT, err, "node %u has two parents or is in a cycle",
               (unsigned)t.node);
    p->seen[t.node] = 1;
  }
  t.at = (uint32_t)p->n_tree++;
  p->queue[p->n_queue++] = t;
  return HY_OK;
}

static hy_status split(packer *p, const task *t, hy_error *err) {
  const hy__tree_source *s = p->source;
  branch b = plan_branch(s, t);
  if (s->threshold[t->node] != s->threshold[t->node]) never(s, t, &b);
  HY_FAIL_IF(s->feature[t->node] >= s->n_features, HY_BAD_FORMAT, err,
             "a tree looks at feature %u of %zu", (unsigned)s->feature[t->node], s->n_features);
  uint32_t slot = 2 * s->feature[t->node] + (b.missing_left ? 1u : 0u);
  bool copied = t->part == 0 && p->memo[t->node] != 0;
  uint32_t left = copied ? p->memo[t->node] - 1 : (uint32_t)p->n_tree;
  put(p, t->at, b.key, slot, left);
  if (copied) return HY_OK;
  if (t->part == 0) p->memo[t->node] = left + 1;
  bool second = t->part == 1;
  HY_TRY(place(p, b.left, second && b.left.node != equal_child(s, t->node), err));
  return place(p, b.right, second && b.right.node != equal_child(s, t->node), err);
}

static hy_status pack_tree(packer *p, uint32_t root, hy_error *err) {
  p->n_tree = 0;
  p->n_queue = 0;
  p->depth = 0;
  HY_TRY(place(p, (task){.node = root}, false, err));
  for (size_t i = 0; i < p->n_queue; ++i) {
    const task t = p->queue[i];
    if (p->source->mode[t.node] == HY__TREE_LEAF)
      put_leaf(p, &t);
    else
      HY_TRY(split(p, &t, err));
  }
  HY_FAIL_IF(!p->wide && p->n_tree > UINT16_MAX, HY_LIMIT, err,
             "a large tree's nodes stand among another's");
  return HY_OK;
}

hy_status hy__forest_pack(const hy__tree_source *source, void *work, void *block, hy_error *err) {
  packer p = {.source = source};
  char *at = work;
  p.queue = (task *)(void *)at;
  at += packed_nodes(source) * sizeof(task);
  p.memo = (uint32_t *)(void *)at;
  at += source->n_nodes * sizeof *p.memo;
  p.seen = (uint8_t *)at;
  memset(p.memo, 0, source->n_nodes * (sizeof *p.memo + 1));
  lay_out(&p, block);
  uint32_t *base = (uint32_t *)(uintptr_t)p.forest->base;
  uint32_t *depth = (uint32_t *)(uintptr_t)p.forest->depth;
  for (size_t t = 0; t < source->n_trees; ++t) {
    HY_TRY(pack_tree(&p, source->roots[t], err));
    base[t] = (uint32_t)p.base;
    depth[t] = p.depth;
    p.base += p.n_tree;
  }
  p.forest->n_nodes = p.base;
  for (size_t i = 0; i < source->n_nodes; ++i)
    HY_FAIL_IF(!p.seen[i], HY_BAD_FORMAT, err, "node %zu is in a cycle apart from the trees", i);
  return HY_OK;
}

size_t hy__tree_scratch_bytes(const hy__forest *forest) {
  return HY__TREE_ROWS * hy__forest_slots(forest) * (forest->wide ? 8 : 4);
}
