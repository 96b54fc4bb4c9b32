/* SPDX-License-Identifier: Apache-2.0
 * TreeEnsembleRegressor and TreeEnsembleClassifier (ai.onnx.ml 1 to 4) and TreeEnsemble (5): the
 * forest is packed once per model; a run walks blocks of rows. Where the specification is silent
 * (binary labels, transforms of one score) the behaviour is ONNX Runtime's. */
#include <string.h>

#include "op/ml_post.h"
#include "op/tree_forest.h"

typedef struct params {
  const hy__forest *forest;
  hy__tree_aggregate aggregate;
  double divisor; /* of AVERAGE, else 1 */
  hy__ml_post post;
  bool classifier, convert;
  /* classifier: */
  hy__ml_labels labels;
  bool one_weighted; /* two classes, all weights on one of them */
  size_t weighted_class;
  bool all_positive;
  bool rounds; /* weights are float32: a label goes by the scores as float32 */
  const double *bases;
  size_t n_bases, n_targets, n_columns;
  size_t scores_at, hits_at, x_at; /* in scratch; the kernel's own comes first */
} params;

static bool is_classifier(const hy__node *node) {
  return !strcmp(node->op_type, "TreeEnsembleClassifier");
}

/* TreeEnsemble, the fifth version. */
static bool is_whole(const hy__node *node) { return node->op_type[strlen("TreeEnsemble")] == 0; }

hy_status hy__op_tree_ensemble_infer(hy__op_plan *p, hy_error *err) {
  int64_t rows, features, targets = hy__node_int(p->node, "n_targets", 1);
  HY_TRY(hy__ml_matrix(&p->in[0], &rows, &features, err));
  size_t scores = 0;
  if (is_classifier(p->node)) {
    hy__ml_labels labels;
    HY_TRY(hy__ml_labels_of(p->node, "classlabels_int64s", "classlabels_strings", &labels, err));
    HY_TRY(hy__op_out(p, 0, hy__ml_label_type(&labels), 1, &rows, err));
    targets = (int64_t)labels.n;
    scores = 1;
  }
  HY_FAIL_IF(targets < 1 || targets > 65536, HY_BAD_FORMAT, err, "n_targets is %lld",
             (long long)targets);
  const int64_t dims[2] = {rows, targets};
  const hy_dtype type = is_whole(p->node) ? p->in[0].dtype : HY_F32;
  if (scores < p->n_out) HY_TRY(hy__op_out(p, scores, type, 2, dims, err));
  return HY_OK;
}

static hy_status lower_forest(hy__op_plan *p, params *q, size_t features, hy_error *err) {
  const hy__attr *key = hy__node_attr(p->node, is_whole(p->node) ? "tree_roots" : "nodes_treeids");
  const bool waits = key && key->kind == HY__ATTR_LIST;
  HY_FAIL_IF(!key || (key->kind != HY__ATTR_INTS && !waits) || key->n == 0, HY_BAD_FORMAT, err,
             "attribute %s has no elements", is_whole(p->node) ? "tree_roots" : "nodes_treeids");
  const hy__tree_want want = {.reader =
                                  is_whole(p->node) ? hy__tree_read_ensemble : hy__tree_read_lists,
                              .key = waits ? (const void *)key->as.bytes : key->as.ints,
                              .n_features = features,
                              .n_targets = q->n_targets,
                              .f64 = p->in[0].dtype == HY_F64,
                              .may_join = q->classifier};
  hy__tree_forest trees;
  HY_TRY(hy__tree_forest_get(p, &want, &trees, err));
  q->forest = trees.forest;
  q->one_weighted = trees.one_target;
  q->weighted_class = trees.target;
  q->all_positive = trees.forest->all_positive;
  if (q->one_weighted) q->n_targets = 1;
  return HY_OK;
}

static hy_status lower_bases(hy__op_plan *p, params *q, hy_error *err) {
  hy__float_list list;
  HY_TRY(hy__float_list_of(p->node, "base_values", "base_values_as_tensor", &list, err));
  HY_FAIL_IF(list.n > 1 && list.n != q->n_columns, HY_BAD_FORMAT, err,
             "there are %zu base_values for %zu scores", list.n, q->n_columns);
  double *bases;
  HY_TRY(hy__arena_array(p->arena, list.n + 1, sizeof *bases, (void **)&bases, err));
  for (size_t i = 0; i < list.n; ++i) bases[i] = hy__float_list_at(&list, i);
  q->bases = bases;
  q->n_bases = list.n;
  return HY_OK;
}

/* Names in the first four versions, numbers in the fifth. */
static hy_status lower_aggregate(const hy__op_plan *p, params *q, hy_error *err) {
  static const char *const names[] = {"AVERAGE", "SUM", "MIN", "MAX"};
  static const hy__tree_aggregate kinds[] = {HY__TREE_SUM, HY__TREE_SUM, HY__TREE_MIN,
                                             HY__TREE_MAX};
  int64_t i = 0;
  if (is_whole(p->node)) {
    i = hy__node_int(p->node, "aggregate_function", 1);
    HY_FAIL_IF(i < 0 || i > 3, HY_BAD_FORMAT, err, "aggregate_function is %lld", (long long)i);
  } else {
    hy_string s = hy__node_string(p->node, "aggregate_function", "SUM");
    while (i < 4 && (s.len_bytes != strlen(names[i]) || memcmp(s.data, names[i], s.len_bytes) != 0))
      ++i;
    HY_FAIL_IF(i == 4, HY_BAD_FORMAT, err, "aggregate_function is '%.*s'",
               (int)HY_MIN(s.len_bytes, (size_t)40), s.data);
  }
  q->aggregate = kinds[i];
  q->divisor = i == 0 ? (double)q->forest->n_trees : 1.0;
  return HY_OK;
}

static hy_status lower_post(const hy__op_plan *p, params *q, hy_error *err) {
  static const hy__ml_post kinds[] = {HY__POST_NONE, HY__POST_SOFTMAX, HY__POST_LOGISTIC,
                                      HY__POST_SOFTMAX_ZERO, HY__POST_PROBIT};
  if (!is_whole(p->node)) return hy__ml_post_of(p->node, &q->post, err);
  const int64_t i = hy__node_int(p->node, "post_transform", 0);
  HY_FAIL_IF(i < 0 || i >= (int64_t)HY_COUNT(kinds), HY_BAD_FORMAT, err, "post_transform is %lld",
             (long long)i);
  q->post = kinds[i];
  return HY_OK;
}

/* A score as the label goes by it: what is a tie in the file's type, such as five times 0.1 beside
 * a half, is none in the sum's. */
static double deciding(const params *q, double score) {
  return q->rounds ? (double)(float)score : score;
}

/* The label of a row whose two classes share one column of weights. */
static size_t binary_label(const params *q, double score) {
  score = deciding(q, score);
  return q->all_positive ? score > 0.5 : score > 0.0;
}

static void binary_columns(const params *q, double score, double out[2]) {
  if (q->weighted_class == 1) {
    out[0] = 0.0;
    out[1] = score;
    hy__ml_post_row(q->post, out, 2);
    return;
  }
  out[0] = q->all_positive ? 1.0 - score : -score;
  out[1] = score;
  if (q->post == HY__POST_LOGISTIC) {
    out[0] = hy__ml_logistic(-score);
    out[1] = hy__ml_logistic(score);
  } else if (q->post == HY__POST_PROBIT) {
    out[0] = hy__ml_probit(1.0 - score);
    out[1] = hy__ml_probit(score);
  }
}

static size_t largest(const params *q, const double *scores, const uint8_t *hits) {
  const size_t n = q->n_targets;
  size_t best = n;
  for (size_t i = 0; i < n; ++i)
    if ((!hits || hits[i]) && (best == n || deciding(q, scores[i]) > deciding(q, scores[best])))
      best = i;
  return best == n ? 0 : best;
}

static void put_scores(const params *q, hy_tensor *z, size_t row, const double *scores) {
  float *f32 = (float *)z->data + row * q->n_columns;
  double *f64 = (double *)z->data + row * q->n_columns;
  for (size_t i = 0; i < q->n_columns; ++i) {
    if (z->dtype == HY_F64)
      f64[i] = scores[i];
    else
      f32[i] = (float)scores[i];
  }
}

/* Sums of a row into its label and its scores. */
static void finish(const hy__step *step, const params *q, size_t row, double *scores,
                   const uint8_t *hits) {
  hy_tensor *z = q->classifier ? step->n_out > 1 ? &step->out[1] : NULL : &step->out[0];
  double two[2];
  size_t label = 0;
  for (size_t i = 0; i < q->n_targets; ++i) {
    const bool hit = !hits || hits[i];
    if (!hit) scores[i] = 0.0;
    scores[i] /= q->divisor;
    size_t base = q->one_weighted && q->n_bases > 1 ? q->weighted_class : q->n_bases > 1 ? i : 0;
    if (q->n_bases && (hit || q->classifier) && (q->n_bases > 1 || i == 0))
      scores[i] += q->bases[base];
  }
  if (q->one_weighted) {
    label = binary_label(q, scores[0]);
    binary_columns(q, scores[0], two);
    scores = two;
  } else {
    if (q->classifier) label = largest(q, scores, hits);
    if (q->n_targets > 1 || q->post == HY__POST_PROBIT)
      hy__ml_post_row(q->post, scores, q->n_targets);
  }
  if (q->classifier && step->out[0].data) hy__ml_label_put(&q->labels, label, &step->out[0], row);
  if (z && z->data) put_scores(q, z, row, scores);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  const size_t features = (size_t)x->dims[x->rank - 1];
  const size_t rows = x->rank == 2 ? (size_t)x->dims[0] : 1;
  char *scratch = step->scratch;
  double *scores = (double *)(void *)(scratch + q->scores_at);
  uint8_t *hits = q->n_targets > 1 ? (uint8_t *)scratch + q->hits_at : NULL;
  (void)err;
  for (size_t begin = 0; begin < rows; begin += HY__TREE_ROWS) {
    const size_t n = HY_MIN((size_t)HY__TREE_ROWS, rows - begin);
    hy__tree_call call = {.forest = q->forest,
                          .x_ld = features,
                          .rows = n,
                          .scratch = scratch,
                          .scores = scores,
                          .hits = hits,
                          .aggregate = q->aggregate};
    call.x = (const char *)x->data + begin * features * hy_dtype_bytes(x->dtype);
    if (q->convert) {
      hy__ml_floats(x, begin * features, n * features, (float *)(void *)(scratch + q->x_at));
      call.x = scratch + q->x_at;
    }
    step->kernels->tree->run(&call);
    for (size_t i = 0; i < n; ++i)
      finish(step, q, begin + i, scores + i * q->n_targets, hits ? hits + i * q->n_targets : NULL);
  }
  return HY_OK;
}

static size_t lines(size_t bytes) { return (bytes + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN; }

static void lower_scratch(hy__op_plan *p, params *q, size_t rows, size_t features) {
  rows = HY_MIN(rows, (size_t)HY__TREE_ROWS);
  q->scores_at = lines(hy__tree_scratch_bytes(q->forest));
  q->hits_at = q->scores_at + lines(rows * q->n_targets * sizeof(double));
  q->x_at = q->hits_at + lines(rows * q->n_targets);
  p->scratch_bytes = q->x_at + (q->convert ? lines(rows * features * sizeof(float)) : 0);
}

hy_status hy__op_tree_ensemble_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  int64_t rows, features;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(hy__ml_matrix(&p->in[0], &rows, &features, err));
  HY_FAIL_IF(features < 1 || features > 1 << 24, HY_BAD_FORMAT, err, "X has %lld features",
             (long long)features);
  q->classifier = is_classifier(p->node);
  q->rounds = !hy__node_attr(p->node, "class_weights_as_tensor");
  q->convert = p->in[0].dtype != HY_F64 && p->in[0].dtype != HY_F32;
  HY_TRY(lower_post(p, q, err));
  q->n_targets = (size_t)hy__node_int(p->node, "n_targets", 1);
  if (q->classifier) {
    HY_TRY(hy__ml_labels_of(p->node, "classlabels_int64s", "classlabels_strings", &q->labels, err));
    q->n_targets = q->labels.n;
  }
  q->n_columns = q->n_targets;
  HY_TRY(lower_forest(p, q, (size_t)features, err));
  HY_TRY(lower_bases(p, q, err));
  HY_TRY(lower_aggregate(p, q, err));
  lower_scratch(p, q, (size_t)rows, (size_t)features);
  p->params = q;
  p->run = run;
  return HY_OK;
}
