/* SPDX-License-Identifier: Apache-2.0 */
/* XGBoost's JSON and UBJSON files: learner -> gradient_booster (gbtree, or dart around one) ->
 * trees as parallel arrays. Inner nodes compare x < split_condition in float; a leaf's value stands
 * in the same array. Category sets list what goes right, so they are read with children exchanged.
 * base_score is a probability or mean: its margin is where the sums begin. All trees count, as for
 * Booster.predict. */
#include <math.h>

#include "model/reader.h"

enum { NODES_MAX = 1 << 27, TARGETS_MAX = 1 << 16, CATEGORIES_MAX = 1 << 24 };

typedef struct reader {
  hy_model *model;
  hy__arena *scratch;
  hy__json_document d;
  hy__tree_lists lists;
  hy__tree_model what;
  const hy__json *trees, *groups, *drops; /* drops: weights of dart's trees, NULL */
  bool logit, log;                        /* what makes base_score a margin */
  double *start;
} reader;

bool hy__read_xgboost_probe(hy__span in) {
  const size_t n = hy__span_left(&in);
  size_t at = 1;
  if (n < 2 || in.pos[0] != '{') return false;
  if (in.pos[1] && strchr("LliIU$#N", in.pos[1])) return true; /* UBJSON */
  while (at < n && strchr(" \t\r\n", in.pos[at]) && in.pos[at]) at++;
  return at < n && in.pos[at] == '"';
}

/* --- values by name --- */

static hy_status member(const reader *r, const hy__json *object, const char *key,
                        hy__json_kind kind, const hy__json **out, hy_error *err) {
  return hy__json_need(&r->d, object, key, kind, out, err);
}

/* Numbers that the file writes as text: "500", "5E-1". */
static hy_status text_number(const reader *r, const hy__json *object, const char *key,
                             double otherwise, double *out, hy_error *err) {
  const hy__json *v = hy__json_get(object, key);
  *out = otherwise;
  if (!v) return HY_OK;
  if (v->kind == HY__JSON_NUMBER) *out = v->number;
  if (v->kind == HY__JSON_NUMBER || (v->kind == HY__JSON_TEXT && hy__text_f64(v->text, out)))
    return HY_OK;
  return hy__json_fail(&r->d, v, HY_BAD_FORMAT, err, "'%s' is no number", key);
}

static hy_status count_of(const reader *r, const hy__json *object, const char *key, int64_t most,
                          size_t *out, hy_error *err) {
  double v;
  HY_TRY(text_number(r, object, key, 0.0, &v, err));
  if (!(v >= 0 && v <= (double)most && v == floor(v)))
    return hy__json_fail(&r->d, object, HY_BAD_FORMAT, err, "'%s' is no integer from 0 to %lld",
                         key, (long long)most);
  *out = (size_t)v;
  return HY_OK;
}

/* An array of n numbers; true and false are 1 and 0, as old versions write them. */
typedef struct list {
  const hy__json *array;
  const double *numbers; /* NULL: booleans, in `next` */
  const hy__json *next;
  size_t n;
} list;

static hy_status list_of(const reader *r, const hy__json *object, const char *key, list *out,
                         hy_error *err) {
  HY_TRY(member(r, object, key, HY__JSON_ARRAY, &out->array, err));
  out->n = out->array->n_children;
  out->numbers = out->array->numbers;
  out->next = out->array->first;
  for (const hy__json *c = out->next; c; c = c->next)
    if (c->kind != HY__JSON_BOOL)
      return hy__json_fail(&r->d, c, HY_BAD_FORMAT, err, "'%s' holds more than numbers", key);
  return HY_OK;
}

static double list_at(list *l, size_t i) {
  if (l->numbers) return l->numbers[i];
  const bool v = l->next->boolean; /* taken in order */
  l->next = l->next->next;
  return v ? 1.0 : 0.0;
}

/* --- what the model predicts --- */

/* How predict turns margins into predictions, and what base_score is the inverse of. */
static const struct {
  const char *name, *transform;
  bool logit, log;
} objectives[] = {{"reg:squarederror", "none", false, false},
                  {"reg:linear", "none", false, false},
                  {"reg:squaredlogerror", "none", false, false},
                  {"reg:pseudohubererror", "none", false, false},
                  {"reg:absoluteerror", "none", false, false},
                  {"reg:quantileerror", "none", false, false},
                  {"reg:expectileerror", "none", false, false},
                  {"reg:logistic", "sigmoid", true, false},
                  {"reg:gamma", "exp", false, true},
                  {"reg:tweedie", "exp", false, true},
                  {"binary:logistic", "sigmoid", true, false},
                  {"binary:logitraw", "none", false, false},
                  {"binary:hinge", "hinge", false, false},
                  {"count:poisson", "exp", false, true},
                  {"survival:cox", "exp", false, true},
                  {"survival:aft", "exp", false, true},
                  {"multi:softprob", "softmax", false, false},
                  {"multi:softmax", "argmax", false, false},
                  {"rank:pairwise", "none", false, false},
                  {"rank:ndcg", "none", false, false},
                  {"rank:map", "none", false, false}};

static hy_status read_objective(reader *r, const hy__json *learner, hy_error *err) {
  const hy__json *objective, *name;
  HY_TRY(member(r, learner, "objective", HY__JSON_OBJECT, &objective, err));
  HY_TRY(member(r, objective, "name", HY__JSON_TEXT, &name, err));
  for (size_t i = 0; i < HY_COUNT(objectives); i++) {
    if (strcmp(name->text, objectives[i].name) != 0) continue;
    r->what.transform = objectives[i].transform;
    r->logit = objectives[i].logit;
    r->log = objectives[i].log;
    return HY_OK;
  }
  return hy__json_fail(&r->d, name, HY_UNSUPPORTED, err, "objective '%.60s'", name->text);
}

/* In float, as the library computes it. */
static double margin_of(const reader *r, double base) {
  const float p = (float)base;
  if (r->logit) return (double)-logf(1.0f / p - 1.0f);
  return (double)(r->log ? logf(p) : p);
}

/* "5E-1", "[5E-1]" or "[1E0,2E0,3E0]". */
static hy_status read_base(reader *r, const hy__json *param, hy_error *err) {
  const hy__json *v;
  const size_t n = r->what.n_targets;
  size_t k = 0;
  HY_TRY(member(r, param, "base_score", HY__JSON_TEXT, &v, err));
  const char *at = v->text, *end = at + strlen(at);
  if (*at == '[') at++;
  HY_TRY(hy__arena_array(r->model->arena, n, sizeof *r->start, (void **)&r->start, err));
  for (double base; at < end && *at != ']'; k++) {
    const char *next = hy__parse_f64(at, end, &base);
    if (next == at || k >= n)
      return hy__json_fail(&r->d, v, HY_BAD_FORMAT, err, "base_score is '%.60s', not %zu numbers",
                           v->text, n);
    r->start[k] = margin_of(r, base);
    at = next < end && *next == ',' ? next + 1 : next;
  }
  if (k != 1 && k != n)
    return hy__json_fail(&r->d, v, HY_BAD_FORMAT, err, "base_score has %zu numbers, not %zu", k, n);
  for (; k < n; k++) r->start[k] = r->start[0];
  r->what.start = r->start;
  return HY_OK;
}

static hy_status read_params(reader *r, const hy__json *learner, hy_error *err) {
  const hy__json *param;
  size_t n_classes, n_targets, n_features;
  HY_TRY(member(r, learner, "learner_model_param", HY__JSON_OBJECT, &param, err));
  HY_TRY(count_of(r, param, "num_feature", 1 << 24, &n_features, err));
  HY_TRY(count_of(r, param, "num_class", TARGETS_MAX, &n_classes, err));
  HY_TRY(count_of(r, param, "num_target", TARGETS_MAX, &n_targets, err));
  if (n_features == 0) return hy__json_fail(&r->d, param, HY_BAD_FORMAT, err, "num_feature is 0");
  r->what.n_features = n_features;
  r->what.n_targets = HY_MAX(HY_MAX(n_classes, n_targets), (size_t)1);
  return read_base(r, param, err);
}

/* gbtree, or dart, which holds one. */
static hy_status read_booster(reader *r, const hy__json *learner, hy_error *err) {
  const hy__json *booster, *name, *model, *inner;
  HY_TRY(member(r, learner, "gradient_booster", HY__JSON_OBJECT, &booster, err));
  HY_TRY(member(r, booster, "name", HY__JSON_TEXT, &name, err));
  inner = booster;
  if (strcmp(name->text, "dart") == 0) {
    HY_TRY(member(r, booster, "gbtree", HY__JSON_OBJECT, &inner, err));
    HY_TRY(member(r, booster, "weight_drop", HY__JSON_ARRAY, &r->drops, err));
  } else if (strcmp(name->text, "gbtree") != 0) {
    return hy__json_fail(&r->d, name, HY_UNSUPPORTED, err, "booster '%.60s'", name->text);
  }
  HY_TRY(member(r, inner, "model", HY__JSON_OBJECT, &model, err));
  HY_TRY(member(r, model, "trees", HY__JSON_ARRAY, &r->trees, err));
  HY_TRY(member(r, model, "tree_info", HY__JSON_ARRAY, &r->groups, err));
  const size_t n = r->trees->n_children;
  if (n == 0 || r->trees->numbers)
    return hy__json_fail(&r->d, r->trees, HY_BAD_FORMAT, err, "the model holds no tree");
  if (r->groups->n_children != n || !r->groups->numbers ||
      (r->drops && (r->drops->n_children != n || !r->drops->numbers)))
    return hy__json_fail(&r->d, r->groups, HY_BAD_FORMAT, err,
                         "tree_info or weight_drop is not of %zu numbers", n);
  return HY_OK;
}

/* --- trees --- */

typedef struct tree {
  const hy__json *node;
  size_t n;
  list left, right, feature, condition, missing, type; /* type: n 0 where there are no sets */
  uint32_t *place;  /* of each node among those that the root reaches; NULL: its own number */
  uint32_t *set_of; /* by node: its set's number and one; NULL: there are none */
  size_t n_reached;
} tree;

enum { UNREACHED = -1 };

static hy_status tree_lists(const reader *r, const hy__json *node, tree *t, hy_error *err) {
  const hy__json *param = hy__json_get(node, "tree_param");
  size_t width = 1;
  *t = (tree){.node = node};
  HY_TRY(list_of(r, node, "left_children", &t->left, err));
  HY_TRY(list_of(r, node, "right_children", &t->right, err));
  HY_TRY(list_of(r, node, "split_indices", &t->feature, err));
  HY_TRY(list_of(r, node, "split_conditions", &t->condition, err));
  HY_TRY(list_of(r, node, "default_left", &t->missing, err));
  if (hy__json_get(node, "split_type")) HY_TRY(list_of(r, node, "split_type", &t->type, err));
  t->n = t->left.n;
  if (param) HY_TRY(count_of(r, param, "size_leaf_vector", INT32_MAX, &width, err));
  if (width > 1)
    return hy__json_fail(&r->d, node, HY_UNSUPPORTED, err, "leaves that are vectors (of %zu)",
                         width);
  if (t->n == 0 || t->right.n != t->n || t->feature.n != t->n || t->condition.n != t->n ||
      t->missing.n != t->n || (t->type.n && t->type.n != t->n))
    return hy__json_fail(&r->d, node, HY_BAD_FORMAT, err, "a tree's arrays differ in length");
  return HY_OK;
}

/* The sets of a tree: which node has each, and where its categories stand. */
static hy_status read_sets(reader *r, tree *t, hy_error *err) {
  list nodes, begins, sizes, values;
  hy__tree_lists *l = &r->lists;
  HY_TRY(list_of(r, t->node, "categories_nodes", &nodes, err));
  HY_TRY(list_of(r, t->node, "categories_segments", &begins, err));
  HY_TRY(list_of(r, t->node, "categories_sizes", &sizes, err));
  HY_TRY(list_of(r, t->node, "categories", &values, err));
  if (nodes.n == 0) return HY_OK;
  HY_TRY(hy__arena_array(r->scratch, t->n, sizeof *t->set_of, (void **)&t->set_of, err));
  if (begins.n != nodes.n || sizes.n != nodes.n)
    return hy__json_fail(&r->d, t->node, HY_BAD_FORMAT, err, "the sets' arrays differ in length");
  for (size_t k = 0; k < nodes.n; k++) {
    const double node = list_at(&nodes, k), begin = list_at(&begins, k), n = list_at(&sizes, k);
    if (!(node >= 0 && node < (double)t->n && begin >= 0 && n >= 0 &&
          begin + n <= (double)values.n && values.numbers) &&
        !(n == 0 && node >= 0 && node < (double)t->n))
      return hy__json_fail(&r->d, t->node, HY_BAD_FORMAT, err, "set %zu is out of range", k);
    for (size_t i = 0; i < (size_t)n; i++) {
      const double v = values.numbers[(size_t)begin + i];
      if (!(v >= 0 && v < CATEGORIES_MAX && v == floor(v)))
        return hy__json_fail(&r->d, t->node, HY_BAD_FORMAT, err, "a category is %g", v);
      HY_TRY(hy__tree_lists_member(r->model, l, v, err));
    }
    HY_TRY(hy__tree_lists_set_end(r->model, l, err));
    t->set_of[(size_t)node] = (uint32_t)l->n_sets;
  }
  return HY_OK;
}

static hy_status child_of(const reader *r, const tree *t, double child, uint32_t *out,
                          hy_error *err) {
  if (!(child >= 0 && child < (double)t->n && child == floor(child)))
    return hy__json_fail(&r->d, t->node, HY_BAD_FORMAT, err, "a node has child %g of %zu", child,
                         t->n);
  *out = (uint32_t)(r->lists.n_nodes + (t->place ? t->place[(size_t)child] : (size_t)child));
  return HY_OK;
}

static hy_status read_split(reader *r, tree *t, size_t k, size_t i, hy_error *err) {
  hy__tree_lists *l = &r->lists;
  const double feature = list_at(&t->feature, k);
  uint32_t left = 0, right = 0;
  HY_TRY(child_of(r, t, list_at(&t->left, k), &left, err));
  HY_TRY(child_of(r, t, list_at(&t->right, k), &right, err));
  if (!(feature >= 0 && feature < (double)r->what.n_features))
    return hy__json_fail(&r->d, t->node, HY_BAD_FORMAT, err, "a node looks at feature %g of %zu",
                         feature, r->what.n_features);
  l->feature[i] = (uint32_t)feature;
  l->threshold[i] = (double)(float)t->condition.numbers[k];
  l->missing_true[i] = list_at(&t->missing, k) != 0;
  const bool is_set = t->type.n && t->type.numbers[k] != 0;
  l->mode[i] = is_set ? HY__TREE_LIST_WHOLE : HY__TREE_LIST_LT;
  l->if_true[i] = is_set ? right : left;
  l->if_false[i] = is_set ? left : right;
  if (!is_set) return HY_OK;
  if (!t->set_of || !t->set_of[k])
    return hy__json_fail(&r->d, t->node, HY_BAD_FORMAT, err, "node %zu has no categories", k);
  l->missing_true[i] = !l->missing_true[i];
  l->set[i] = t->set_of[k] - 1;
  return HY_OK;
}

static hy_status check_tree(const reader *r, const tree *t, size_t index, hy_error *err) {
  const double group = r->groups->numbers[index];
  if (!(group >= 0 && group < (double)r->what.n_targets))
    return hy__json_fail(&r->d, r->groups, HY_BAD_FORMAT, err, "tree %zu is of group %g of %zu",
                         index, group, r->what.n_targets);
  if (!t->left.numbers || !t->right.numbers || !t->condition.numbers || !t->feature.numbers ||
      (t->type.n && !t->type.numbers))
    return hy__json_fail(&r->d, t->node, HY_BAD_FORMAT, err, "a tree's arrays are no numbers");
  return HY_OK;
}

/* Pruning leaves nodes behind that the root does not reach: the others get places without them. */
static hy_status skip_deleted(reader *r, tree *t, hy_error *err) {
  const hy__json *param = hy__json_get(t->node, "tree_param");
  size_t deleted = 0, n = 1;
  uint32_t *stack;
  t->n_reached = t->n;
  if (param) HY_TRY(count_of(r, param, "num_deleted", INT32_MAX, &deleted, err));
  if (!deleted) return HY_OK;
  HY_TRY(hy__arena_array(r->scratch, t->n, sizeof *t->place, (void **)&t->place, err));
  HY_TRY(hy__arena_array(r->scratch, t->n, sizeof *stack, (void **)&stack, err));
  memset(t->place, UNREACHED, t->n * sizeof *t->place);
  t->n_reached = 0;
  t->place[0] = (uint32_t)t->n_reached++;
  while (n) {
    const uint32_t k = stack[--n];
    if (t->left.numbers[k] == -1) continue;
    for (int side = 0; side < 2; side++) {
      const double child = side ? t->right.numbers[k] : t->left.numbers[k];
      if (!(child >= 0 && child < (double)t->n) || t->place[(size_t)child] != (uint32_t)UNREACHED)
        return hy__json_fail(&r->d, t->node, HY_BAD_FORMAT, err,
                             "a node's child %g does not exist or has two parents", child);
      t->place[(size_t)child] = (uint32_t)t->n_reached++;
      stack[n++] = (uint32_t)child;
    }
  }
  return HY_OK;
}

static void read_leaf(reader *r, const tree *t, size_t k, size_t index) {
  hy__tree_lists *l = &r->lists;
  const size_t i = l->n_nodes + (t->place ? t->place[k] : k);
  float weight = (float)t->condition.numbers[k];
  if (r->drops) weight *= (float)r->drops->numbers[index];
  l->mode[i] = HY__TREE_LIST_LEAF;
  l->weight[i] = (double)weight;
}

/* Weights stand by node until the tree is whole, then leaf by leaf. */
static void gather_weights(reader *r, uint32_t target, size_t n) {
  hy__tree_lists *l = &r->lists;
  for (size_t i = l->n_nodes; i < l->n_nodes + n; i++) {
    l->weight_begin[i] = (uint32_t)l->n_weights;
    if (l->mode[i] != HY__TREE_LIST_LEAF) continue;
    l->target[l->n_weights] = target;
    l->weight[l->n_weights++] = l->weight[i];
  }
  l->roots[l->n_trees++] = (uint32_t)l->n_nodes;
  l->n_nodes += n;
  l->weight_begin[l->n_nodes] = (uint32_t)l->n_weights;
}

static hy_status read_tree(reader *r, tree *t, size_t index, hy_error *err) {
  HY_TRY(check_tree(r, t, index, err));
  HY_TRY(skip_deleted(r, t, err));
  if (hy__json_get(t->node, "categories_nodes")) HY_TRY(read_sets(r, t, err));
  for (size_t k = 0; k < t->n; k++) {
    const size_t i = r->lists.n_nodes + (t->place ? t->place[k] : k);
    const bool reached = !t->place || t->place[k] != (uint32_t)UNREACHED;
    const bool leaf = t->left.numbers[k] == -1;
    if (reached && leaf)
      read_leaf(r, t, k, index);
    else if (reached)
      HY_TRY(read_split(r, t, k, i, err));
    if (!t->missing.numbers && (leaf || !reached)) (void)list_at(&t->missing, k);
  }
  gather_weights(r, (uint32_t)r->groups->numbers[index], t->n_reached);
  return HY_OK;
}

static hy_status read_trees(reader *r, hy_error *err) {
  size_t n = 0, index = 0;
  tree t;
  for (const hy__json *node = r->trees->first; node; node = node->next) {
    HY_TRY(tree_lists(r, node, &t, err));
    n += t.n;
    if (n > NODES_MAX)
      return hy__json_fail(&r->d, node, HY_LIMIT, err, "more than %d nodes", (int)NODES_MAX);
  }
  HY_TRY(hy__tree_lists_make(r->model, n, r->trees->n_children, n, &r->lists, err));
  for (const hy__json *node = r->trees->first; node; node = node->next, index++) {
    HY_TRY(tree_lists(r, node, &t, err));
    HY_TRY(read_tree(r, &t, index, err));
  }
  return hy__tree_model_make(r->model, &r->lists, &r->what, err);
}

static hy_status read_document(reader *r, hy_error *err) {
  const hy__json_limits limits = {.allow_nonfinite = true, .max_members = 4096};
  const hy__json *learner;
  const char *text = r->d.text;
  if (r->d.bytes > 1 && strchr("LliIU$#N", text[1]) && text[1])
    HY_TRY(hy__ubjson_parse(&r->d, &limits, r->scratch, err));
  else
    HY_TRY(hy__json_parse(&r->d, &limits, r->scratch, err));
  if (!hy__json_get(r->d.root, "learner"))
    return hy__json_fail(&r->d, r->d.root, HY_UNSUPPORTED, err,
                         "a JSON file that is no XGBoost model: it lacks 'learner'");
  HY_TRY(member(r, r->d.root, "learner", HY__JSON_OBJECT, &learner, err));
  HY_TRY(read_objective(r, learner, err));
  HY_TRY(read_booster(r, learner, err));
  HY_TRY(read_params(r, learner, err));
  return read_trees(r, err);
}

hy_status hy__read_xgboost(hy_model *model, hy_error *err) {
  reader r = {.model = model,
              .d = {.text = (const char *)model->map.data, .bytes = model->map.bytes},
              .what = {.producer = "XGBoost", .dtype = HY_F32, .scale = 1.0, .divisor = 1.0}};
  HY_TRY(hy__arena_create(hy__runtime_allocator(model->runtime), 0, 0, &r.scratch, err));
  hy_status status = read_document(&r, err);
  hy__tree_lists_free(model, &r.lists);
  hy__arena_destroy(r.scratch);
  return status;
}
