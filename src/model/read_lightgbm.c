/* SPDX-License-Identifier: Apache-2.0 */
/* LightGBM's text files: a header of key=value lines, a block for each tree, what follows "end of
 * trees" is not looked at. Trees become the lists of reader.h: inner nodes first, then leaves. A
 * child below zero is the leaf ~child. decision_type: bit 0 a set of categories, bit 1 missing
 * values go left, bits 2 and 3 what counts as missing (nothing, zeros, NaN). */
#include <stdarg.h>
#include <stdio.h>

#include "model/reader.h"

enum { CATEGORICAL = 1, DEFAULT_LEFT = 2, TREES_MAX = 1 << 24, LEAVES_MAX = 1 << 27 };
enum { MISSING_NONE, MISSING_ZERO, MISSING_NAN };

/* A piece of the file. */
typedef struct text {
  const char *pos, *end;
} text;

typedef struct reader {
  hy_model *model;
  text file;
  hy__tree_lists lists;
  hy__tree_model what;
  size_t per_iteration, n_trees;
  bool average;
} reader;

/* The lines of a tree. */
enum {
  NUM_LEAVES,
  NUM_CAT,
  SPLIT_FEATURE,
  THRESHOLD,
  DECISION_TYPE,
  LEFT_CHILD,
  RIGHT_CHILD,
  LEAF_VALUE,
  CAT_BOUNDARIES,
  CAT_THRESHOLD,
  IS_LINEAR,
  N_KEYS
};
static const char *const tree_keys[N_KEYS] = {
    "num_leaves",  "num_cat",    "split_feature",  "threshold",     "decision_type", "left_child",
    "right_child", "leaf_value", "cat_boundaries", "cat_threshold", "is_linear"};

bool hy__read_lightgbm_probe(hy__span in) {
  const size_t n = hy__span_left(&in);
  return (n >= 5 && memcmp(in.pos, "tree\n", 5) == 0) ||
         (n >= 6 && memcmp(in.pos, "tree\r\n", 6) == 0);
}

/* --- lines and numbers --- */

/* Refuses at a place of the file, whose line is counted. */
HY_PRINTF(5, 6)
static hy_status refuse(const reader *r, const char *at, hy_status status, hy_error *err,
                        const char *format, ...) {
  char message[256];
  int64_t line = 1;
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  for (const char *p = r->file.pos; p < at; p++) line += *p == '\n';
  hy__error_set(err, status, "%s", message);
  hy__error_place(err, line, 0, at - r->file.pos);
  return status;
}

/* The next line without its end; *left moves behind it. */
static text next_line(text *left) {
  const char *end = memchr(left->pos, '\n', (size_t)(left->end - left->pos));
  text line = {left->pos, end ? end : left->end};
  left->pos = end ? end + 1 : left->end;
  if (line.end > line.pos && line.end[-1] == '\r') line.end--;
  return line;
}

static bool is(text t, const char *word) {
  const size_t n = strlen(word);
  return (size_t)(t.end - t.pos) == n && memcmp(t.pos, word, n) == 0;
}

static bool begins(text t, const char *word) {
  const size_t n = strlen(word);
  return (size_t)(t.end - t.pos) >= n && memcmp(t.pos, word, n) == 0;
}

/* A line key=value into both; false if it is none. */
static bool key_value(text line, text *key, text *value) {
  const char *at = memchr(line.pos, '=', (size_t)(line.end - line.pos));
  if (!at) return false;
  *key = (text){line.pos, at};
  *value = (text){at + 1, line.end};
  return true;
}

static hy_status read_int(const reader *r, text value, int64_t low, int64_t high, int64_t *out,
                          hy_error *err) {
  const char *at = value.pos;
  const bool good = hy__parse_i64(value.pos, value.end, out) == value.end && value.pos < value.end;
  if (!good || *out < low || *out > high)
    return refuse(r, at, HY_BAD_FORMAT, err, "an integer from %lld to %lld is expected",
                  (long long)low, (long long)high);
  return HY_OK;
}

/* The next of numbers that blanks part. */
static hy_status next_int(const reader *r, text *list, int64_t low, int64_t high, int64_t *out,
                          hy_error *err) {
  while (list->pos < list->end && *list->pos == ' ') list->pos++;
  const char *at = list->pos, *end = hy__parse_i64(at, list->end, out);
  if (end == at || (end < list->end && *end != ' ') || *out < low || *out > high)
    return refuse(r, at, HY_BAD_FORMAT, err, "an integer from %lld to %lld is expected",
                  (long long)low, (long long)high);
  list->pos = end;
  return HY_OK;
}

static hy_status next_real(const reader *r, text *list, double *out, hy_error *err) {
  while (list->pos < list->end && *list->pos == ' ') list->pos++;
  const char *at = list->pos, *end = hy__parse_f64(at, list->end, out);
  if (end == at || (end < list->end && *end != ' '))
    return refuse(r, at, HY_BAD_FORMAT, err, "a number is expected");
  list->pos = end;
  return HY_OK;
}

static hy_status list_end(const reader *r, text list, hy_error *err) {
  while (list.pos < list.end && *list.pos == ' ') list.pos++;
  const char *at = list.pos;
  if (at < list.end)
    return refuse(r, at, HY_BAD_FORMAT, err, "the list has more numbers than the tree has nodes");
  return HY_OK;
}

/* --- the header --- */

/* "binary sigmoid:1": the value after "sigmoid:". */
static hy_status objective_scale(const reader *r, text value, double *out, hy_error *err) {
  const char *at = memmem(value.pos, (size_t)(value.end - value.pos), "sigmoid:", 8);
  if (!at) return HY_OK;
  const char *number = at + 8, *end = hy__parse_f64(number, value.end, out);
  if (end == number || !(*out > 0))
    return refuse(r, at, HY_BAD_FORMAT, err, "sigmoid: is not followed by a number");
  return HY_OK;
}

/* What predict does to the sums of each objective. */
static const struct {
  const char *name, *transform;
} objectives[] = {{"regression", "none"},
                  {"regression_l1", "none"},
                  {"huber", "none"},
                  {"fair", "none"},
                  {"quantile", "none"},
                  {"mape", "none"},
                  {"poisson", "exp"},
                  {"gamma", "exp"},
                  {"tweedie", "exp"},
                  {"binary", "sigmoid"},
                  {"multiclass", "softmax"},
                  {"multiclassova", "sigmoid"},
                  {"cross_entropy", "sigmoid"},
                  {"cross_entropy_lambda", "log1p_exp"},
                  {"lambdarank", "none"},
                  {"rank_xendcg", "none"},
                  {"custom", "none"},
                  {"none", "none"}};

static hy_status read_objective(reader *r, text value, hy_error *err) {
  const char *at = value.pos, *blank = memchr(at, ' ', (size_t)(value.end - at));
  const text name = {at, blank ? blank : value.end};
  for (size_t i = 0; i < HY_COUNT(objectives); i++) {
    if (!is(name, objectives[i].name)) continue;
    r->what.transform = objectives[i].transform;
    if (strcmp(objectives[i].name, "regression") == 0 && blank &&
        memmem(blank, (size_t)(value.end - blank), " sqrt", 5))
      r->what.transform = "square";
    return objective_scale(r, value, &r->what.scale, err);
  }
  if (true)
    return refuse(r, at, HY_UNSUPPORTED, err, "objective '%.*s'",
                  (int)HY_MIN(name.end - at, (ptrdiff_t)60), at);
}

static hy_status read_header(reader *r, text *left, hy_error *err) {
  int64_t number;
  bool has_features = false;
  while (left->pos < left->end) {
    const text before = *left, line = next_line(left);
    text key, value;
    if (begins(line, "Tree=") || is(line, "end of trees")) {
      *left = before;
      break;
    }
    if (is(line, "average_output")) r->average = true;
    if (!key_value(line, &key, &value)) continue;
    if (is(key, "num_tree_per_iteration")) {
      HY_TRY(read_int(r, value, 1, 1 << 16, &number, err));
      r->per_iteration = (size_t)number;
    } else if (is(key, "max_feature_idx")) {
      HY_TRY(read_int(r, value, 0, (1 << 24) - 1, &number, err));
      r->what.n_features = (size_t)number + 1;
      has_features = true;
    } else if (is(key, "objective")) {
      HY_TRY(read_objective(r, value, err));
    }
  }
  const char *at = r->file.pos;
  if (!has_features || !r->per_iteration)
    return refuse(r, at, HY_BAD_FORMAT, err,
                  "the header lacks max_feature_idx or num_tree_per_iteration");
  return HY_OK;
}

/* --- trees --- */

typedef struct tree {
  text values[N_KEYS]; /* pos NULL: absent */
  const char *begin;
  size_t n_leaves;
} tree;

/* The lines up to the next tree or the end. */
static void tree_lines(text *left, tree *out) {
  *out = (tree){.begin = left->pos};
  (void)next_line(left);
  while (left->pos < left->end) {
    const text before = *left, line = next_line(left);
    text key, value;
    if (begins(line, "Tree=") || is(line, "end of trees")) {
      *left = before;
      return;
    }
    if (!key_value(line, &key, &value)) continue;
    for (size_t k = 0; k < N_KEYS; k++)
      if (is(key, tree_keys[k])) out->values[k] = value;
  }
}

static hy_status tree_size(const reader *r, tree *t, hy_error *err) {
  const char *at = t->begin;
  int64_t n;
  if (!t->values[NUM_LEAVES].pos)
    return refuse(r, at, HY_BAD_FORMAT, err, "the tree lacks num_leaves");
  HY_TRY(read_int(r, t->values[NUM_LEAVES], 1, LEAVES_MAX, &n, err));
  t->n_leaves = (size_t)n;
  /* each leaf has a number and a blank, or an end of line */
  if ((size_t)n > (size_t)(r->file.end - r->file.pos) / 2)
    return refuse(r, at, HY_BAD_FORMAT, err,
                  "the tree has %lld leaves, more than the file has bytes for", (long long)n);
  if (!t->values[IS_LINEAR].pos) return HY_OK;
  if (!is(t->values[IS_LINEAR], "0"))
    return refuse(r, at, HY_UNSUPPORTED, err, "linear trees (linear_tree)");
  return HY_OK;
}

/* Trees and leaves in all. */
static hy_status count(reader *r, text left, size_t *n_leaves, hy_error *err) {
  *n_leaves = 0;
  while (left.pos < left.end && begins(left, "Tree=")) {
    tree t;
    tree_lines(&left, &t);
    HY_TRY(tree_size(r, &t, err));
    *n_leaves += t.n_leaves;
    r->n_trees++;
    const char *at = t.begin;
    if (r->n_trees > TREES_MAX || *n_leaves > LEAVES_MAX)
      return refuse(r, at, HY_LIMIT, err, "more than %d trees or %d leaves", (int)TREES_MAX,
                    (int)LEAVES_MAX);
  }
  const char *at = left.pos;
  if (!r->n_trees) return refuse(r, at, HY_BAD_FORMAT, err, "the file holds no tree");
  if (!begins(left, "end of trees"))
    return refuse(r, at, HY_BAD_FORMAT, err, "the file ends before its trees do");
  if (r->n_trees % r->per_iteration != 0)
    return refuse(r, at, HY_BAD_FORMAT, err, "%zu trees are no whole iterations of %zu", r->n_trees,
                  r->per_iteration);
  return HY_OK;
}

/* The sets of a tree: cat_boundaries part the words of cat_threshold, a bit per category. */
static hy_status read_sets(reader *r, const tree *t, size_t *n_sets, hy_error *err) {
  int64_t n = 0, from, to, word = 0;
  text bounds = t->values[CAT_BOUNDARIES], words = t->values[CAT_THRESHOLD];
  *n_sets = 0;
  if (t->values[NUM_CAT].pos) HY_TRY(read_int(r, t->values[NUM_CAT], 0, LEAVES_MAX, &n, err));
  if (n == 0) return HY_OK;
  const char *at = t->begin;
  if (!bounds.pos || !words.pos)
    return refuse(r, at, HY_BAD_FORMAT, err, "the tree lacks its categories");
  HY_TRY(next_int(r, &bounds, 0, 0, &from, err));
  for (int64_t set = 0; set < n; set++, from = to) {
    HY_TRY(next_int(r, &bounds, from, INT32_MAX, &to, err));
    for (int64_t k = from; k < to; k++) {
      HY_TRY(next_int(r, &words, 0, UINT32_MAX, &word, err));
      for (int bit = 0; bit < 32; bit++)
        if (word >> bit & 1)
          HY_TRY(hy__tree_lists_member(r->model, &r->lists, (double)(32 * (k - from) + bit), err));
    }
    HY_TRY(hy__tree_lists_set_end(r->model, &r->lists, err));
  }
  *n_sets = (size_t)n;
  return HY_OK;
}

/* A child's index among the tree's nodes. */
static hy_status next_child(const reader *r, text *list, const tree *t, uint32_t *out,
                            hy_error *err) {
  int64_t child;
  const int64_t leaves = (int64_t)t->n_leaves, inner = leaves - 1;
  HY_TRY(next_int(r, list, -leaves, inner - 1, &child, err));
  *out = (uint32_t)((int64_t)r->lists.n_nodes + (child >= 0 ? child : inner + ~child));
  return HY_OK;
}

/* One inner node, whose lists stand at it. */
static hy_status read_node(reader *r, const tree *t, text *lists, size_t sets[2], hy_error *err) {
  hy__tree_lists *l = &r->lists;
  const size_t i = sets[1]++;
  int64_t feature, type;
  double threshold;
  const char *at = lists[DECISION_TYPE].pos;
  HY_TRY(next_int(r, &lists[SPLIT_FEATURE], 0, (int64_t)r->what.n_features - 1, &feature, err));
  HY_TRY(next_int(r, &lists[DECISION_TYPE], INT8_MIN, UINT8_MAX, &type, err));
  HY_TRY(next_real(r, &lists[THRESHOLD], &threshold, err));
  HY_TRY(next_child(r, &lists[LEFT_CHILD], t, &l->if_true[i], err));
  HY_TRY(next_child(r, &lists[RIGHT_CHILD], t, &l->if_false[i], err));
  l->feature[i] = (uint32_t)feature;
  l->threshold[i] = threshold;
  if (type & CATEGORICAL) { /* the threshold is the set's number; NaN goes right */
    if (!(threshold >= 0 && threshold < (double)sets[0]))
      return refuse(r, at, HY_BAD_FORMAT, err, "the node names set %g of %zu", threshold, sets[0]);
    l->mode[i] = HY__TREE_LIST_CUT;
    l->set[i] = (uint32_t)(l->n_sets - sets[0] + (size_t)threshold);
    return HY_OK;
  }
  const int missing = (int)(type >> 2 & 3);
  if (missing > MISSING_NAN)
    return refuse(r, at, HY_BAD_FORMAT, err, "decision_type %lld", (long long)type);
  l->mode[i] = HY__TREE_LIST_LEQ;
  l->zero_missing[i] = missing == MISSING_ZERO;
  /* where nothing is missing, NaN is read as zero */
  l->missing_true[i] = missing == MISSING_NONE ? 0.0 <= threshold : (type & DEFAULT_LEFT) != 0;
  return HY_OK;
}

static hy_status read_leaves(reader *r, const tree *t, uint32_t target, hy_error *err) {
  hy__tree_lists *l = &r->lists;
  text values = t->values[LEAF_VALUE];
  const char *at = t->begin;
  if (!values.pos) return refuse(r, at, HY_BAD_FORMAT, err, "the tree lacks leaf_value");
  for (size_t k = 0; k < t->n_leaves; k++) {
    const size_t node = l->n_nodes + t->n_leaves - 1 + k;
    l->mode[node] = HY__TREE_LIST_LEAF;
    HY_TRY(next_real(r, &values, &l->weight[l->n_weights], err));
    l->weight_begin[node] = (uint32_t)l->n_weights;
    l->target[l->n_weights++] = target;
  }
  return list_end(r, values, err);
}

static hy_status read_tree(reader *r, const tree *t, hy_error *err) {
  hy__tree_lists *l = &r->lists;
  text lists[N_KEYS];
  size_t sets[2] = {0, l->n_nodes}; /* sets of this tree; the next node */
  memcpy(lists, t->values, sizeof lists);
  const char *at = t->begin;
  for (size_t k = SPLIT_FEATURE; k <= RIGHT_CHILD && t->n_leaves > 1; k++)
    if (!lists[k].pos) return refuse(r, at, HY_BAD_FORMAT, err, "the tree lacks %s", tree_keys[k]);
  if (t->n_leaves > 1) HY_TRY(read_sets(r, t, &sets[0], err));
  for (size_t k = 0; k + 1 < t->n_leaves; k++) {
    l->weight_begin[sets[1]] = (uint32_t)l->n_weights;
    HY_TRY(read_node(r, t, lists, sets, err));
  }
  for (size_t k = SPLIT_FEATURE; k <= RIGHT_CHILD && t->n_leaves > 1; k++)
    HY_TRY(list_end(r, lists[k], err));
  HY_TRY(read_leaves(r, t, (uint32_t)(l->n_trees % r->per_iteration), err));
  l->roots[l->n_trees++] = (uint32_t)l->n_nodes;
  l->n_nodes += 2 * t->n_leaves - 1;
  l->weight_begin[l->n_nodes] = (uint32_t)l->n_weights;
  return HY_OK;
}

static hy_status read_trees(reader *r, text left, hy_error *err) {
  for (size_t k = 0; k < r->n_trees; k++) {
    tree t;
    tree_lines(&left, &t);
    HY_TRY(tree_size(r, &t, err));
    hy_status status = read_tree(r, &t, err);
    if (status == HY_OK) continue;
    hy__error_prefix(err, "tree %zu", k);
    return status;
  }
  r->what.n_targets = r->per_iteration;
  if (r->average) r->what.divisor = (double)(r->n_trees / r->per_iteration);
  return hy__tree_model_make(r->model, &r->lists, &r->what, err);
}

hy_status hy__read_lightgbm(hy_model *model, hy_error *err) {
  const char *begin = (const char *)model->map.data;
  reader r = {.model = model,
              .file = {begin, begin + model->map.bytes},
              .what = {.producer = "LightGBM",
                       .transform = "none",
                       .dtype = HY_F64,
                       .scale = 1.0,
                       .divisor = 1.0}};
  text left = r.file;
  size_t n_leaves;
  HY_TRY(read_header(&r, &left, err));
  HY_TRY(count(&r, left, &n_leaves, err));
  HY_TRY(hy__tree_lists_make(model, 2 * n_leaves - r.n_trees, r.n_trees, n_leaves, &r.lists, err));
  hy_status status = read_trees(&r, left, err);
  hy__tree_lists_free(model, &r.lists);
  return status;
}
