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

/* A list of weights: the leaf that carries it, and the target. */
typedef struct weights {
  int32_t *tree, *node, *target;
  uint32_t *owner; /* in place of tree */
} weights;

typedef struct reader {
  hy__tree_read *out;
  size_t n, n_weights, n_roots;
  int32_t *tree, *node;                                  /* ids */
  uint8_t *mode, *missing_true, *n_parents;              /* n_parents: 2 stands for more */
  uint32_t *feature, *yes, *no, *roots, *begin, *target; /* yes, no: first ids, then indices */
  double *threshold, *weight;
  weights given;
  bool has_equal;
  /* where ids are not dense: */
  entry *sorted;
  /* where there are BRANCH_EQ: */
  uint8_t *joined;
  uint32_t *set, *set_begin, *to;
  double *set_value;
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

static bool is_classifier(const hy__node *node) {
  return strcmp(node->op_type, "TreeEnsembleClassifier") == 0;
}

/* A list of integers of exactly n elements. */
static hy_status ints_into(const reader *r, const char *name, size_t n, void *out, hy_error *err) {
  const hy__attr *a = hy__node_attr(r->out->node, name);
  HY_FAIL_IF(!a, HY_BAD_FORMAT, err, "attribute %s has 0 elements in place of %zu", name, n);
  return hy__attr_ints_read(a, n, out, err);
}

/* Exactly n floats as doubles: they are read into the second half of `out` and widened upwards. */
static hy_status doubles_into(const reader *r, const char *name, const char *tensor_name, size_t n,
                              double *out, hy_error *err) {
  const hy__attr *a = hy__node_attr(r->out->node, name);
  hy__float_list list = {0};
  if (a && a->kind == HY__ATTR_LIST) {
    float *narrow = (float *)(void *)out + n, x;
    HY_TRY(hy__attr_floats_read(a, n, narrow, err));
    for (size_t i = 0; i < n; ++i) {
      memcpy(&x, &narrow[i], sizeof x);
      const double wide = (double)x;
      memcpy(&out[i], &wide, sizeof wide);
    }
    return HY_OK;
  }
  HY_TRY(hy__float_list_of(r->out->node, name, tensor_name, &list, err));
  HY_FAIL_IF(list.n != n, HY_BAD_FORMAT, err, "attribute %s has %zu elements in place of %zu", name,
             list.n, n);
  for (size_t i = 0; i < n; ++i) out[i] = hy__float_list_at(&list, i);
  return HY_OK;
}

static hy_status count(const reader *r, const char *name, size_t *out, hy_error *err) {
  HY_TRY(hy__attr_ints_count(hy__node_attr(r->out->node, name), out, err));
  HY_FAIL_IF(*out == 0 || *out > NODES_MAX, HY_BAD_FORMAT, err, "attribute %s has %zu elements",
             name, *out);
  return HY_OK;
}

static void *take(char **at, size_t n, size_t each) {
  void *p = *at;
  *at += (n * each + 15) / 16 * 16;
  return p;
}

static hy_status make_arrays(reader *r, hy_error *err) {
  const size_t n = r->n, w = r->n_weights;
  const size_t bytes =
      20 * 16 + n * (sizeof(double) + 7 * 4 + 3) + 4 + w * (sizeof(double) + 4 * 4);
  HY_TRY(hy__tree_read_more(r->out, bytes, err));
  char *at = r->out->memory[r->out->n_blocks - 1];
  r->threshold = take(&at, n, sizeof(double));
  r->weight = take(&at, w, sizeof(double));
  r->tree = take(&at, n, 4);
  r->node = take(&at, n, 4);
  r->feature = take(&at, n, 4);
  r->yes = take(&at, n, 4);
  r->no = take(&at, n, 4);
  r->begin = take(&at, n + 1, 4);
  r->target = take(&at, w, 4);
  r->given.tree = take(&at, w, 4);
  r->given.owner = (uint32_t *)r->given.tree;
  r->given.node = take(&at, w, 4);
  r->given.target = take(&at, w, 4);
  r->mode = take(&at, n, 1);
  r->missing_true = take(&at, n, 1);
  r->n_parents = take(&at, n, 1);
  r->roots = take(&at, n, 4); /* few are touched */
  memset(r->n_parents, 0, n);
  return HY_OK;
}

static hy_status read_modes(reader *r, hy_error *err) {
  static const char *const texts[] = {"BRANCH_LEQ", "LEAF",      "BRANCH_LT", "BRANCH_GTE",
                                      "BRANCH_GT",  "BRANCH_EQ", "BRANCH_NEQ"};
  static const uint8_t values[] = {HY__TREE_LEQ, HY__TREE_LEAF, HY__TREE_LT, HY__TREE_GTE,
                                   HY__TREE_GT,  HY__TREE_EQ,   HY__TREE_NEQ};
  const hy__choices known = {texts, values, HY_COUNT(texts)};
  const hy__attr *a = hy__node_attr(r->out->node, "nodes_modes");
  HY_FAIL_IF(!a, HY_BAD_FORMAT, err, "attribute nodes_modes is missing");
  HY_TRY(hy__attr_choices_read(a, &known, r->n, r->mode, err));
  for (size_t i = 0; i < r->n; ++i) r->has_equal |= r->mode[i] == HY__TREE_EQ;
  return HY_OK;
}

/* Into the first half of the begins, which are made later. */
static hy_status read_missing(reader *r, hy_error *err) {
  const hy__attr *a = hy__node_attr(r->out->node, "nodes_missing_value_tracks_true");
  if (!a || (a->kind != HY__ATTR_LIST && a->n == 0)) {
    memset(r->missing_true, 0, r->n);
    return HY_OK;
  }
  HY_TRY(hy__attr_ints_read(a, r->n, (int32_t *)r->begin, err));
  for (size_t i = 0; i < r->n; ++i) r->missing_true[i] = r->begin[i] != 0;
  return HY_OK;
}

static hy_status read_lists(reader *r, hy_error *err) {
  const bool c = is_classifier(r->out->node);
  const char *ids = c ? "class_ids" : "target_ids";
  HY_TRY(count(r, "nodes_treeids", &r->n, err));
  HY_TRY(count(r, ids, &r->n_weights, err));
  HY_TRY(make_arrays(r, err));
  HY_TRY(ints_into(r, "nodes_treeids", r->n, r->tree, err));
  HY_TRY(ints_into(r, "nodes_nodeids", r->n, r->node, err));
  HY_TRY(ints_into(r, "nodes_featureids", r->n, r->feature, err));
  HY_TRY(ints_into(r, "nodes_truenodeids", r->n, r->yes, err));
  HY_TRY(ints_into(r, "nodes_falsenodeids", r->n, r->no, err));
  HY_TRY(read_missing(r, err));
  HY_TRY(read_modes(r, err));
  HY_TRY(doubles_into(r, "nodes_values", "nodes_values_as_tensor", r->n, r->threshold, err));
  HY_TRY(doubles_into(r, c ? "class_weights" : "target_weights",
                      c ? "class_weights_as_tensor" : "target_weights_as_tensor", r->n_weights,
                      r->weight, err));
  HY_TRY(ints_into(r, c ? "class_treeids" : "target_treeids", r->n_weights, r->given.tree, err));
  HY_TRY(ints_into(r, c ? "class_nodeids" : "target_nodeids", r->n_weights, r->given.node, err));
  return ints_into(r, ids, r->n_weights, r->given.target, err);
}

static int by_id(const void *a, const void *b) {
  const uint64_t x = ((const entry *)a)->id, y = ((const entry *)b)->id;
  return (x > y) - (x < y);
}

static uint64_t id_of(int32_t tree, int32_t node) {
  return (uint64_t)(uint32_t)tree << 32 | (uint32_t)node;
}

static hy_status sort_ids(reader *r, hy_error *err) {
  HY_TRY(hy__tree_read_more(r->out, r->n * sizeof *r->sorted, err));
  r->sorted = r->out->memory[r->out->n_blocks - 1];
  for (size_t i = 0; i < r->n; ++i)
    r->sorted[i] = (entry){id_of(r->tree[i], r->node[i]), (uint32_t)i};
  qsort(r->sorted, r->n, sizeof *r->sorted, by_id);
  for (size_t i = 1; i < r->n; ++i)
    HY_FAIL_IF(r->sorted[i].id == r->sorted[i - 1].id, HY_BAD_FORMAT, err,
               "tree %lld has node %lld twice", (long long)(r->sorted[i].id >> 32),
               (long long)(r->sorted[i].id & UINT32_MAX));
  return HY_OK;
}

static hy_status find_sorted(reader *r, int32_t tree, int32_t node, uint32_t *out, hy_error *err) {
  if (!r->sorted) HY_TRY(sort_ids(r, err));
  const entry key = {.id = id_of(tree, node)};
  const bool sane = tree >= 0 && node >= 0;
  const entry *found = sane ? bsearch(&key, r->sorted, r->n, sizeof key, by_id) : NULL;
  HY_FAIL_IF(!found, HY_BAD_FORMAT, err, "tree %d has no node %d", tree, node);
  *out = found->index;
  return HY_OK;
}

/* The index of a node: first where dense ids would put it, as seen from a node of the same tree. */
static inline hy_status find(reader *r, const int32_t id[2], size_t near, uint32_t *out,
                             hy_error *err) {
  const int64_t guess = (int64_t)near - r->node[near] + id[1];
  if (guess >= 0 && guess < (int64_t)r->n && r->tree[guess] == id[0] && r->node[guess] == id[1]) {
    *out = (uint32_t)guess;
    return HY_OK;
  }
  return find_sorted(r, id[0], id[1], out, err);
}

static void add_parent(reader *r, uint32_t node) {
  if (r->n_parents[node] < 2) r->n_parents[node]++;
}

static hy_status read_nodes(reader *r, hy_error *err) {
  const size_t n_features = r->out->source.n_features;
  for (size_t i = 0; i < r->n; ++i)
    HY_FAIL_IF(r->tree[i] < 0 || r->node[i] < 0, HY_BAD_FORMAT, err,
               "node %zu has the ids %d and %d", i, r->tree[i], r->node[i]);
  for (size_t i = 0; i < r->n; ++i) {
    const int32_t yes[2] = {r->tree[i], (int32_t)r->yes[i]}, no[2] = {yes[0], (int32_t)r->no[i]};
    if (r->mode[i] == HY__TREE_LEAF) {
      r->feature[i] = r->yes[i] = r->no[i] = 0;
      continue;
    }
    HY_FAIL_IF(r->feature[i] >= n_features, HY_BAD_FORMAT, err, "a tree looks at feature %d of %zu",
               (int)r->feature[i], n_features);
    HY_TRY(find(r, yes, i, &r->yes[i], err));
    HY_TRY(find(r, no, i, &r->no[i], err));
    add_parent(r, r->yes[i]);
    add_parent(r, r->no[i]);
  }
  return HY_OK;
}

/* One root in each tree: the node that is nobody's child. Trees keep the order of their roots. */
static hy_status read_roots(reader *r, hy_error *err) {
  for (size_t i = 0; i < r->n; ++i)
    if (!r->n_parents[i]) r->roots[r->n_roots++] = (uint32_t)i;
  HY_FAIL_IF(r->n_roots == 0, HY_BAD_FORMAT, err, "the trees have no root");
  for (size_t i = 1; i < r->n_roots; ++i)
    HY_FAIL_IF(r->tree[r->roots[i]] == r->tree[r->roots[i - 1]], HY_BAD_FORMAT, err,
               "tree %d has two roots", r->tree[r->roots[i]]);
  r->out->source.n_trees = r->n_roots;
  return HY_OK;
}

/* Whose each weight is, and how many each leaf has, in begin[leaf + 1]. */
static hy_status find_owners(reader *r, hy_error *err) {
  const size_t n_targets = r->out->source.n_targets;
  uint32_t near = 0;
  size_t next_root = 1;
  memset(r->begin, 0, (r->n + 1) * sizeof *r->begin);
  for (size_t i = 0; i < r->n_weights; ++i) {
    const int32_t target = r->given.target[i], id[2] = {r->given.tree[i], r->given.node[i]};
    HY_FAIL_IF(target < 0 || (size_t)target >= n_targets, HY_BAD_FORMAT, err,
               "a leaf names target %d of %zu", target, n_targets);
    if (r->tree[near] != id[0] && next_root < r->n_roots)
      near = r->roots[next_root++]; /* weights mostly come tree by tree */
    HY_TRY(find(r, id, near, &near, err));
    r->given.owner[i] = near;
    if (r->mode[near] == HY__TREE_LEAF) r->begin[near + 1]++;
  }
  return HY_OK;
}

/* Whether the weights stand in the order of their leaves, and are all of leaves. */
static bool in_order(const reader *r) {
  for (size_t i = 0; i < r->n_weights; ++i)
    if (r->mode[r->given.owner[i]] != HY__TREE_LEAF ||
        (i && r->given.owner[i] < r->given.owner[i - 1]))
      return false;
  return true;
}

/* Weights by leaf, in the order of the file. */
static hy_status read_weights(reader *r, hy_error *err) {
  uint32_t *begin = r->begin;
  HY_TRY(find_owners(r, err));
  for (size_t i = 0; i < r->n; ++i) begin[i + 1] += begin[i];
  r->out->source.n_weights = begin[r->n];
  if (in_order(r)) {
    r->target = (uint32_t *)r->given.target;
    return HY_OK;
  }
  HY_TRY(hy__tree_read_more(r->out, r->n_weights * sizeof(double), err));
  double *sorted = r->out->memory[r->out->n_blocks - 1];
  for (size_t i = 0; i < r->n_weights; ++i) {
    const uint32_t leaf = r->given.owner[i];
    if (r->mode[leaf] != HY__TREE_LEAF) continue;
    const uint32_t at = begin[leaf]++;
    r->target[at] = (uint32_t)r->given.target[i];
    sorted[at] = r->weight[i];
  }
  memmove(begin + 1, begin, r->n * sizeof *begin); /* each begin had moved to its end */
  begin[0] = 0;
  r->weight = sorted;
  return HY_OK;
}

/* Whether node i and the one it falls to ask one feature for two values and go the same way. */
static bool continues(const reader *r, size_t i) {
  const uint32_t next = r->no[i];
  return r->mode[i] == HY__TREE_EQ && r->mode[next] == HY__TREE_EQ &&
         r->feature[next] == r->feature[i] && r->yes[next] == r->yes[i] && r->n_parents[next] == 1;
}

/* The nodes that are still there move together; weights know leaves only, which all stay. */
static void drop_joined(reader *r) {
  uint32_t *to = r->to, kept = 0;
  for (size_t i = 0; i < r->n; ++i) {
    to[i] = kept;
    kept += r->joined[i] != GONE;
  }
  for (size_t i = 0; i < r->n; ++i) {
    const uint32_t at = to[i];
    if (r->joined[i] == GONE) continue;
    r->mode[at] = r->mode[i];
    r->missing_true[at] = r->missing_true[i];
    r->feature[at] = r->feature[i];
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
  memset(r->joined, 0, r->n);
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

static hy_status make_sets(reader *r, hy_error *err) {
  const size_t n = r->n;
  HY_TRY(hy__tree_read_more(r->out, 6 * 16 + n * (sizeof(double) + 3 * 4 + 1) + 4, err));
  char *at = r->out->memory[r->out->n_blocks - 1];
  r->set_value = take(&at, n, sizeof(double));
  r->set = take(&at, n, 4);
  r->set_begin = take(&at, n + 1, 4);
  r->to = take(&at, n, 4);
  r->joined = take(&at, n, 1);
  return HY_OK;
}

hy_status hy__tree_read_lists(hy__tree_read *read, hy_error *err) {
  reader r = {.out = read};
  HY_TRY(read_lists(&r, err));
  HY_TRY(read_nodes(&r, err));
  HY_TRY(read_roots(&r, err));
  HY_TRY(read_weights(&r, err));
  if (r.has_equal) {
    HY_TRY(make_sets(&r, err));
    join_chains(&r);
  }
  hy__tree_source *s = &read->source;
  s->n_nodes = r.n;
  s->mode = r.mode;
  s->feature = r.feature;
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
