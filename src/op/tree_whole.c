/* SPDX-License-Identifier: Apache-2.0
 * Reading TreeEnsemble's attributes (ai.onnx.ml 5): inner nodes and leaves in two lists, membership
 * sets one after the other with a NaN between them. A leaf becomes a node for each parent it has.
 */
#include <string.h>

#include "op/narrow.h"
#include "op/tree_forest.h"

enum { NODES_MAX = 1 << 27 };

typedef struct reader {
  hy__tree_read *out;
  size_t n, n_leaves, n_refs, n_members;
  const int64_t *feature, *if_true, *if_false, *true_leaf, *false_leaf, *missing, *leaf_target;
  const uint8_t *modes;
  hy__float_list splits, weights, members;
  /* in the allocation; nodes are the inner ones, then a leaf for each reference */
  uint8_t *mode, *missing_true;
  uint32_t *feature32, *yes, *no, *roots, *begin, *target, *set, *set_begin;
  double *threshold, *weight, *set_value;
} reader;

static hy_status ints_of(const reader *r, const char *name, size_t n, const int64_t **out,
                         hy_error *err) {
  const hy__attr *a = hy__node_attr(r->out->node, name);
  HY_FAIL_IF(!a || a->kind != HY__ATTR_INTS || a->n != n, HY_BAD_FORMAT, err,
             "attribute %s has %zu elements in place of %zu", name, a ? a->n : 0, n);
  *out = a->as.ints;
  return HY_OK;
}

static hy_status floats_of(const reader *r, const char *name, size_t n, hy__float_list *out,
                           hy_error *err) {
  HY_TRY(hy__float_list_of(r->out->node, name, name, out, err));
  HY_FAIL_IF(out->n != n, HY_BAD_FORMAT, err, "attribute %s has %zu elements in place of %zu", name,
             out->n, n);
  return HY_OK;
}

static hy_status read_lists(reader *r, hy_error *err) {
  const hy__node *node = r->out->node;
  const hy__attr *features = hy__node_attr(node, "nodes_featureids");
  const hy__attr *leaves = hy__node_attr(node, "leaf_targetids");
  const hy__attr *missing = hy__node_attr(node, "nodes_missing_value_tracks_true");
  const hy__attr *modes = hy__node_attr(node, "nodes_modes");
  r->n = features && features->kind == HY__ATTR_INTS ? features->n : 0;
  r->n_leaves = leaves && leaves->kind == HY__ATTR_INTS ? leaves->n : 0;
  HY_FAIL_IF(r->n == 0 || r->n > NODES_MAX || r->n_leaves == 0 || r->n_leaves > NODES_MAX,
             HY_BAD_FORMAT, err, "there are %zu nodes and %zu leaves", r->n, r->n_leaves);
  HY_TRY(ints_of(r, "nodes_featureids", r->n, &r->feature, err));
  HY_TRY(ints_of(r, "leaf_targetids", r->n_leaves, &r->leaf_target, err));
  HY_TRY(ints_of(r, "nodes_truenodeids", r->n, &r->if_true, err));
  HY_TRY(ints_of(r, "nodes_falsenodeids", r->n, &r->if_false, err));
  HY_TRY(ints_of(r, "nodes_trueleafs", r->n, &r->true_leaf, err));
  HY_TRY(ints_of(r, "nodes_falseleafs", r->n, &r->false_leaf, err));
  if (missing && missing->n)
    HY_TRY(ints_of(r, "nodes_missing_value_tracks_true", r->n, &r->missing, err));
  HY_FAIL_IF(!modes || modes->kind != HY__ATTR_TENSOR || modes->as.tensor->dtype != HY_U8 ||
                 hy__op_count_of(modes->as.tensor) != r->n,
             HY_BAD_FORMAT, err, "nodes_modes is no tensor of %zu bytes", r->n);
  r->modes = modes->as.tensor->data;
  HY_TRY(floats_of(r, "nodes_splits", r->n, &r->splits, err));
  HY_TRY(floats_of(r, "leaf_weights", r->n_leaves, &r->weights, err));
  HY_TRY(hy__float_list_of(node, "membership_values", "membership_values", &r->members, err));
  for (size_t i = 0; i < r->n; ++i) {
    r->n_refs += (r->true_leaf[i] != 0) + (r->false_leaf[i] != 0);
    r->n_members += r->modes[i] == HY__TREE_MEMBER - 1;
  }
  return HY_OK;
}

static void *take(char **at, size_t n, size_t each) {
  void *p = *at;
  *at += (n * each + 15) / 16 * 16;
  return p;
}

static hy_status make_arrays(reader *r, size_t n_roots, hy_error *err) {
  const size_t n = r->n + r->n_refs;
  const size_t bytes = 16 * 16 + n * (8 + 5 * 4 + 2) + r->n_refs * (8 + 4) + 4 + n_roots * 4 +
                       (r->n_members + 1) * 4 + r->members.n * 8;
  HY_TRY(hy__tree_read_more(r->out, bytes, err));
  char *at = r->out->memory[0];
  memset(at, 0, bytes);
  r->threshold = take(&at, n, 8);
  r->weight = take(&at, r->n_refs, 8);
  r->set_value = take(&at, r->members.n, 8);
  r->feature32 = take(&at, n, 4);
  r->yes = take(&at, n, 4);
  r->no = take(&at, n, 4);
  r->set = take(&at, n, 4);
  r->begin = take(&at, n + 1, 4);
  r->target = take(&at, r->n_refs, 4);
  r->roots = take(&at, n_roots, 4);
  r->set_begin = take(&at, r->n_members + 1, 4);
  r->mode = take(&at, n, 1);
  r->missing_true = take(&at, n, 1);
  return HY_OK;
}

/* A child of node i: an inner node, or the next leaf node, which is filled here. */
static hy_status child_of(reader *r, int64_t id, bool is_leaf, size_t *n_refs, uint32_t *out,
                          hy_error *err) {
  const int64_t most = (int64_t)(is_leaf ? r->n_leaves : r->n);
  HY_FAIL_IF(id < 0 || id >= most, HY_BAD_FORMAT, err, "a node names %s %lld of %lld",
             is_leaf ? "leaf" : "node", (long long)id, (long long)most);
  *out = (uint32_t)id;
  if (!is_leaf) return HY_OK;
  const int64_t target = r->leaf_target[id];
  HY_FAIL_IF(target < 0 || target >= (int64_t)r->out->source.n_targets, HY_BAD_FORMAT, err,
             "a leaf names target %lld of %zu", (long long)target, r->out->source.n_targets);
  const size_t k = (*n_refs)++;
  *out = (uint32_t)(r->n + k);
  r->mode[*out] = HY__TREE_LEAF;
  r->target[k] = (uint32_t)target;
  r->weight[k] = hy__float_list_at(&r->weights, (size_t)id);
  return HY_OK;
}

static hy_status read_nodes(reader *r, hy_error *err) {
  size_t n_refs = 0, n_members = 0;
  for (size_t i = 0; i < r->n; ++i) {
    HY_FAIL_IF(r->modes[i] > HY__TREE_MEMBER - 1, HY_BAD_FORMAT, err, "nodes_modes has %d",
               r->modes[i]);
    HY_FAIL_IF(r->feature[i] < 0 || r->feature[i] >= (int64_t)r->out->source.n_features,
               HY_BAD_FORMAT, err, "a tree looks at feature %lld of %zu", (long long)r->feature[i],
               r->out->source.n_features);
    r->mode[i] = (uint8_t)(r->modes[i] + 1); /* the same order, after the leaf */
    r->feature32[i] = (uint32_t)r->feature[i];
    r->threshold[i] = hy__float_list_at(&r->splits, i);
    r->missing_true[i] = r->missing ? r->missing[i] != 0 : 0;
    if (r->mode[i] == HY__TREE_MEMBER) r->set[i] = (uint32_t)n_members++;
    HY_TRY(child_of(r, r->if_true[i], r->true_leaf[i] != 0, &n_refs, &r->yes[i], err));
    HY_TRY(child_of(r, r->if_false[i], r->false_leaf[i] != 0, &n_refs, &r->no[i], err));
  }
  for (size_t k = 0; k <= n_refs; ++k) r->begin[r->n + k] = (uint32_t)k;
  return HY_OK;
}

/* The sets of the member nodes, in the nodes' order. */
static hy_status read_sets(reader *r, hy_error *err) {
  size_t set = 0, n = 0;
  for (size_t i = 0; i < r->members.n; ++i) {
    const double v = hy__float_list_at(&r->members, i);
    if (v == v) {
      HY_FAIL_IF(set >= r->n_members, HY_BAD_FORMAT, err,
                 "membership_values has more sets than there are member nodes, %zu", r->n_members);
      r->set_value[n++] = v;
    } else if (set < r->n_members) {
      r->set_begin[++set] = (uint32_t)n;
    }
  }
  if (set < r->n_members) r->set_begin[++set] = (uint32_t)n; /* the last may lack its NaN */
  HY_FAIL_IF(set != r->n_members, HY_BAD_FORMAT, err,
             "membership_values has %zu sets for %zu member nodes", set, r->n_members);
  return HY_OK;
}

static hy_status read_roots(reader *r, const hy__attr *roots, hy_error *err) {
  for (size_t t = 0; t < roots->n; ++t) {
    HY_FAIL_IF(roots->as.ints[t] < 0 || roots->as.ints[t] >= (int64_t)r->n, HY_BAD_FORMAT, err,
               "tree_roots has %lld of %zu nodes", (long long)roots->as.ints[t], r->n);
    r->roots[t] = (uint32_t)roots->as.ints[t];
  }
  return HY_OK;
}

hy_status hy__tree_read_ensemble(hy__tree_read *read, hy_error *err) {
  reader r = {.out = read};
  const hy__attr *roots = hy__node_attr(read->node, "tree_roots");
  HY_TRY(read_lists(&r, err));
  HY_FAIL_IF(!roots || roots->kind != HY__ATTR_INTS || roots->n == 0 || roots->n > r.n,
             HY_BAD_FORMAT, err, "there are %zu tree_roots for %zu nodes", roots ? roots->n : 0,
             r.n);
  HY_TRY(make_arrays(&r, roots->n, err));
  HY_TRY(read_nodes(&r, err));
  HY_TRY(read_sets(&r, err));
  HY_TRY(read_roots(&r, roots, err));
  hy__tree_source *s = &read->source;
  s->n_nodes = r.n + r.n_refs;
  s->n_trees = roots->n;
  s->n_weights = r.n_refs;
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
  s->set = r.set;
  s->n_sets = r.n_members;
  s->set_begin = r.set_begin;
  s->set_value = r.set_value;
  return HY_OK;
}
