/* SPDX-License-Identifier: Apache-2.0
 * Reading the attributes of TreeEnsembleRegressor and TreeEnsembleClassifier: node ids are per
 * tree, neither dense nor ordered, and a leaf may carry several weights. Every list's length, id
 * and number is checked here; the shape of the trees is checked when they are packed. */
#include "op/narrow.h"
#include "op/tree_forest.h"

#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 1 << 28 };

typedef struct entry {
  uint64_t id; /* tree in the high half, node in the low */
  uint32_t index;
} entry;

typedef struct reader {
  hy__tree_read *out;
  size_t n;
  const int64_t *tree, *node, *feature, *if_true, *if_false, *missing;
  const hy_string *modes;
  hy__float_list values;
  size_t n_weights;
  const int64_t *weight_tree, *weight_node, *weight_target;
  hy__float_list weights;
  /* in the allocation */
  uint8_t *mode, *missing_true, *n_parents, *joined; /* n_parents: 2 stands for more */
  uint32_t *feature32, *yes, *no, *roots, *begin, *target, *owner, *set, *set_begin;
  double *threshold, *weight, *set_value;
  entry *sorted; /* filled at the first id that is not where dense ids would be */
  bool is_sorted;
} reader;

enum { FOLLOWS = 1, GONE = 2 }; /* of joined: goes on from another node; is in that node's set */

hy_status hy__float_list_of(const hy__node *node, const char *name, const char *tensor_name,
                            hy__float_list *out, hy_error *err) {
  const hy__attr *list = hy__node_attr(node, name), *wide = hy__node_attr(node, tensor_name);
  *out = (hy__float_list){0};
  if (list && list->kind == HY__ATTR_FLOATS && list->n) {
    out->f32 = list->as.floats;
    out->n = list->n;
  } else if (wide && wide->kind == HY__ATTR_TENSOR) {
    const hy_tensor *t = wide->as.tensor;
    HY_FAIL_IF(t->dtype != HY_F64 && t->dtype != HY_F32 && t->dtype != HY_F16, HY_UNSUPPORTED, err,
               "%s holds %s, not floats", tensor_name, hy_dtype_name(t->dtype));
    out->n = hy__op_count_of(t);
    out->f64 = t->dtype == HY_F64 ? t->data : NULL;
    out->f32 = t->dtype == HY_F32 ? t->data : NULL;
    out->f16 = t->dtype == HY_F16 ? t->data : NULL;
  }
  return HY_OK;
}

double hy__float_list_at(const hy__float_list *l, size_t i) {
  if (l->f64) return l->f64[i];
  return l->f32 ? (double)l->f32[i] : (double)hy__half_to_float(l->f16[i]);
}

/* A list of integers of exactly n elements. */
static hy_status ints_of(const reader *r, const char *name, size_t n, const int64_t **out,
                         hy_error *err) {
  const hy__attr *a = hy__node_attr(r->out->node, name);
  HY_FAIL_IF(!a || a->kind != HY__ATTR_INTS || a->n != n, HY_BAD_FORMAT, err,
             "attribute %s has %zu elements in place of %zu", name, a ? a->n : 0, n);
  *out = a->as.ints;
  return HY_OK;
}

static hy_status read_lists(reader *r, hy_error *err) {
  const hy__node *node = r->out->node;
  const hy__attr *trees = hy__node_attr(node, "nodes_treeids");
  r->n = trees && trees->kind == HY__ATTR_INTS ? trees->n : 0;
  HY_FAIL_IF(r->n == 0 || r->n > NODES_MAX, HY_BAD_FORMAT, err, "nodes_treeids has %zu elements",
             r->n);
  HY_TRY(ints_of(r, "nodes_treeids", r->n, &r->tree, err));
  HY_TRY(ints_of(r, "nodes_nodeids", r->n, &r->node, err));
  HY_TRY(ints_of(r, "nodes_featureids", r->n, &r->feature, err));
  HY_TRY(ints_of(r, "nodes_truenodeids", r->n, &r->if_true, err));
  HY_TRY(ints_of(r, "nodes_falsenodeids", r->n, &r->if_false, err));
  const hy__attr *missing = hy__node_attr(node, "nodes_missing_value_tracks_true");
  if (missing && missing->n)
    HY_TRY(ints_of(r, "nodes_missing_value_tracks_true", r->n, &r->missing, err));
  const hy__attr *modes = hy__node_attr(node, "nodes_modes");
  HY_FAIL_IF(!modes || modes->kind != HY__ATTR_STRINGS || modes->n != r->n, HY_BAD_FORMAT, err,
             "nodes_modes has another length than nodes_treeids");
  r->modes = modes->as.strings;
  HY_TRY(hy__float_list_of(node, "nodes_values", "nodes_values_as_tensor", &r->values, err));
  HY_FAIL_IF(r->values.n != r->n, HY_BAD_FORMAT, err,
             "nodes_values has another length than nodes_treeids");
  const bool c = !strcmp(node->op_type, "TreeEnsembleClassifier");
  HY_TRY(hy__float_list_of(node, c ? "class_weights" : "target_weights",
                           c ? "class_weights_as_tensor" : "target_weights_as_tensor", &r->weights,
                           err));
  r->n_weights = r->weights.n;
  HY_FAIL_IF(r->n_weights == 0 || r->n_weights > NODES_MAX, HY_BAD_FORMAT, err,
             "there are %zu leaf weights", r->n_weights);
  HY_TRY(ints_of(r, c ? "class_treeids" : "target_treeids", r->n_weights, &r->weight_tree, err));
  HY_TRY(ints_of(r, c ? "class_nodeids" : "target_nodeids", r->n_weights, &r->weight_node, err));
  return ints_of(r, c ? "class_ids" : "target_ids", r->n_weights, &r->weight_target, err);
}

static void *take(char **at, size_t n, size_t each) {
  void *p = *at;
  *at += (n * each + 15) / 16 * 16;
  return p;
}

static hy_status make_arrays(reader *r, hy_error *err) {
  const size_t n = r->n, w = r->n_weights;
  size_t bytes = 20 * 16 + n * (sizeof(entry) + 2 * sizeof(double) + 7 * 4 + 4) +
                 w * (sizeof(double) + 2 * 4) + 8;
  HY_TRY(hy__alloc(r->out->allocator, bytes, &r->out->memory, err));
  r->out->bytes = bytes;
  char *at = r->out->memory;
  r->sorted = take(&at, n, sizeof(entry));
  r->threshold = take(&at, n, sizeof(double));
  r->weight = take(&at, w, sizeof(double));
  r->feature32 = take(&at, n, 4);
  r->yes = take(&at, n, 4);
  r->no = take(&at, n, 4);
  r->roots = take(&at, n, 4);
  r->begin = take(&at, n + 1, 4);
  r->target = take(&at, w, 4);
  r->owner = take(&at, w, 4);
  r->mode = take(&at, n, 1);
  r->missing_true = take(&at, n, 1);
  r->n_parents = take(&at, n, 1);
  r->joined = take(&at, n, 1);
  r->set = take(&at, n, 4);
  r->set_begin = take(&at, n + 1, 4);
  r->set_value = take(&at, n, sizeof(double));
  memset(r->n_parents, 0, n);
  memset(r->joined, 0, n);
  return HY_OK;
}

static hy_status mode_of(hy_string s, uint8_t *out, hy_error *err) {
  static const struct {
    const char *name;
    uint8_t mode;
  } names[] = {{"BRANCH_LEQ", HY__TREE_LEQ}, {"LEAF", HY__TREE_LEAF},    {"BRANCH_LT", HY__TREE_LT},
               {"BRANCH_GTE", HY__TREE_GTE}, {"BRANCH_GT", HY__TREE_GT}, {"BRANCH_EQ", HY__TREE_EQ},
               {"BRANCH_NEQ", HY__TREE_NEQ}};
  for (size_t i = 0; i < HY_COUNT(names); ++i) {
    if (s.len_bytes == strlen(names[i].name) && !memcmp(s.data, names[i].name, s.len_bytes)) {
      *out = names[i].mode;
      return HY_OK;
    }
  }
  HY_FAIL(HY_BAD_FORMAT, err, "nodes_modes has '%.*s'", (int)HY_MIN(s.len_bytes, (size_t)40),
          s.data);
}

static int by_id(const void *a, const void *b) {
  const uint64_t x = ((const entry *)a)->id, y = ((const entry *)b)->id;
  return (x > y) - (x < y);
}

static uint64_t id_of(int64_t tree, int64_t node) { return (uint64_t)tree << 32 | (uint64_t)node; }

static hy_status sort_ids(reader *r, hy_error *err) {
  for (size_t i = 0; i < r->n; ++i)
    r->sorted[i] = (entry){id_of(r->tree[i], r->node[i]), (uint32_t)i};
  qsort(r->sorted, r->n, sizeof *r->sorted, by_id);
  for (size_t i = 1; i < r->n; ++i)
    HY_FAIL_IF(r->sorted[i].id == r->sorted[i - 1].id, HY_BAD_FORMAT, err,
               "tree %lld has node %lld twice", (long long)(r->sorted[i].id >> 32),
               (long long)(r->sorted[i].id & UINT32_MAX));
  r->is_sorted = true;
  return HY_OK;
}

/* The index of a node: first where dense ids would put it, as seen from a node of the same tree. */
static hy_status find(reader *r, const int64_t id[2], size_t near, uint32_t *out, hy_error *err) {
  const int64_t guess = (int64_t)near - r->node[near] + id[1];
  if (guess >= 0 && guess < (int64_t)r->n && r->tree[guess] == id[0] && r->node[guess] == id[1]) {
    *out = (uint32_t)guess;
    return HY_OK;
  }
  if (!r->is_sorted) HY_TRY(sort_ids(r, err));
  const entry key = {.id = id_of(id[0], id[1])};
  const bool sane = id[0] >= 0 && id[0] <= INT32_MAX && id[1] >= 0 && id[1] <= INT32_MAX;
  const entry *found = sane ? bsearch(&key, r->sorted, r->n, sizeof key, by_id) : NULL;
  HY_FAIL_IF(!found, HY_BAD_FORMAT, err, "tree %lld has no node %lld", (long long)id[0],
             (long long)id[1]);
  *out = found->index;
  return HY_OK;
}

static void add_parent(reader *r, uint32_t node) {
  if (r->n_parents[node] < 2) r->n_parents[node]++;
}

static hy_status read_nodes(reader *r, hy_error *err) {
  for (size_t i = 0; i < r->n; ++i) {
    HY_FAIL_IF(r->tree[i] < 0 || r->tree[i] > INT32_MAX || r->node[i] < 0 || r->node[i] > INT32_MAX,
               HY_BAD_FORMAT, err, "node %zu has the ids %lld and %lld", i, (long long)r->tree[i],
               (long long)r->node[i]);
    HY_TRY(mode_of(r->modes[i], &r->mode[i], err));
    r->threshold[i] = hy__float_list_at(&r->values, i);
    r->missing_true[i] = r->missing ? r->missing[i] != 0 : 0;
    r->feature32[i] = r->yes[i] = r->no[i] = 0;
    if (r->mode[i] == HY__TREE_LEAF) continue;
    HY_FAIL_IF(r->feature[i] < 0 || r->feature[i] >= (int64_t)r->out->source.n_features,
               HY_BAD_FORMAT, err, "a tree looks at feature %lld of %zu", (long long)r->feature[i],
               r->out->source.n_features);
    r->feature32[i] = (uint32_t)r->feature[i];
    HY_TRY(find(r, (const int64_t[2]){r->tree[i], r->if_true[i]}, i, &r->yes[i], err));
    HY_TRY(find(r, (const int64_t[2]){r->tree[i], r->if_false[i]}, i, &r->no[i], err));
    add_parent(r, r->yes[i]);
    add_parent(r, r->no[i]);
  }
  return HY_OK;
}

/* One root in each tree: the node that is nobody's child. Trees keep the order of their roots. */
static hy_status read_roots(reader *r, hy_error *err) {
  size_t n_roots = 0;
  for (size_t i = 0; i < r->n; ++i)
    if (!r->n_parents[i]) r->roots[n_roots++] = (uint32_t)i;
  HY_FAIL_IF(n_roots == 0, HY_BAD_FORMAT, err, "the trees have no root");
  for (size_t i = 1; i < n_roots; ++i)
    HY_FAIL_IF(r->tree[r->roots[i]] == r->tree[r->roots[i - 1]], HY_BAD_FORMAT, err,
               "tree %lld has two roots", (long long)r->tree[r->roots[i]]);
  r->out->source.n_trees = n_roots;
  return HY_OK;
}

/* Weights by leaf, in the order of the file. */
static hy_status read_weights(reader *r, hy_error *err) {
  uint32_t *begin = r->begin, near = 0;
  size_t next_root = 1;
  memset(begin, 0, (r->n + 1) * sizeof *begin);
  for (size_t i = 0; i < r->n_weights; ++i) {
    HY_FAIL_IF(r->weight_target[i] < 0 || r->weight_target[i] >= (int64_t)r->out->source.n_targets,
               HY_BAD_FORMAT, err, "a leaf names target %lld of %zu",
               (long long)r->weight_target[i], r->out->source.n_targets);
    const int64_t id[2] = {r->weight_tree[i], r->weight_node[i]};
    if (r->tree[near] != id[0] && next_root < r->out->source.n_trees)
      near = r->roots[next_root++]; /* weights mostly come tree by tree */
    HY_TRY(find(r, id, near, &r->owner[i], err));
    near = r->owner[i];
    if (r->mode[near] == HY__TREE_LEAF) begin[near + 1]++;
  }
  for (size_t i = 0; i < r->n; ++i) begin[i + 1] += begin[i];
  size_t kept = 0;
  for (size_t i = 0; i < r->n_weights; ++i) {
    const uint32_t leaf = r->owner[i];
    if (r->mode[leaf] != HY__TREE_LEAF) continue;
    const uint32_t at = begin[leaf]++;
    r->target[at] = (uint32_t)r->weight_target[i];
    r->weight[at] = hy__float_list_at(&r->weights, i);
    kept++;
  }
  memmove(begin + 1, begin, r->n * sizeof *begin); /* each begin had moved to its end */
  begin[0] = 0;
  r->out->source.n_weights = kept;
  return HY_OK;
}

/* Whether node i and the one it falls to ask one feature for two values and go the same way. */
static bool continues(const reader *r, size_t i) {
  const uint32_t next = r->no[i];
  return r->mode[i] == HY__TREE_EQ && r->mode[next] == HY__TREE_EQ &&
         r->feature32[next] == r->feature32[i] && r->yes[next] == r->yes[i] &&
         r->n_parents[next] == 1;
}

/* The nodes that are still there move together; weights know leaves only, which all stay. */
static void drop_joined(reader *r) {
  uint32_t *to = (uint32_t *)(void *)r->sorted, kept = 0; /* ids are no longer looked up */
  for (size_t i = 0; i < r->n; ++i) {
    to[i] = kept;
    kept += r->joined[i] != GONE;
  }
  for (size_t i = 0; i < r->n; ++i) {
    const uint32_t at = to[i];
    if (r->joined[i] == GONE) continue;
    r->mode[at] = r->mode[i];
    r->missing_true[at] = r->missing_true[i];
    r->feature32[at] = r->feature32[i];
    r->threshold[at] = r->threshold[i];
    r->set[at] = r->set[i];
    r->begin[at] = r->begin[i];
    r->yes[at] = to[r->yes[i]];
    r->no[at] = to[r->no[i]];
  }
  r->begin[kept] = r->begin[r->n];
  for (size_t t = 0; t < r->out->source.n_trees; ++t) r->roots[t] = to[r->roots[t]];
  r->n = kept;
}

/* Converters write a set of categories as a chain of BRANCH_EQ with one common child: such a chain
 * becomes a single node with a set, and the child has one parent. NaN goes along the chain until a
 * node takes it. */
static void join_chains(reader *r) {
  hy__tree_source *s = &r->out->source;
  uint32_t n_values = 0;
  for (size_t i = 0; i < r->n; ++i)
    if (continues(r, i)) r->joined[r->no[i]] = FOLLOWS;
  for (size_t i = 0; i < r->n; ++i) {
    r->set[i] = 0;
    if (r->joined[i] || !continues(r, i)) continue;
    r->set[i] = (uint32_t)s->n_sets;
    r->set_begin[s->n_sets++] = n_values;
    uint32_t last = (uint32_t)i;
    r->set_value[n_values++] = r->threshold[i];
    while (continues(r, last)) {
      last = r->no[last];
      r->set_value[n_values++] = r->threshold[last];
      r->missing_true[i] |= r->missing_true[last];
      r->joined[last] = GONE;
    }
    r->mode[i] = HY__TREE_MEMBER;
    r->no[i] = r->no[last];
  }
  if (!s->n_sets) return;
  r->set_begin[s->n_sets] = n_values;
  s->set = r->set;
  s->set_begin = r->set_begin;
  s->set_value = r->set_value;
  drop_joined(r);
}

hy_status hy__tree_read_lists(hy__tree_read *read, hy_error *err) {
  reader r = {.out = read};
  HY_TRY(read_lists(&r, err));
  HY_TRY(make_arrays(&r, err));
  HY_TRY(read_nodes(&r, err));
  HY_TRY(read_roots(&r, err));
  HY_TRY(read_weights(&r, err));
  join_chains(&r);
  hy__tree_source *s = &read->source;
  s->n_nodes = r.n;
  s->mode = r.mode;
  s->feature = r.feature32;
  s->threshold = r.threshold;
  s->if_true = r.yes;
  s->if_false = r.no;
  s->missing_true = r.missing_true;
  s->roots = r.roots;
  s->weight_begin = r.begin;
  s->target = r.target;
  s->weight = r.weight;
  return HY_OK;
}
