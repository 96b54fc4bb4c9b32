/* SPDX-License-Identifier: Apache-2.0
 * TreeScore (domain hayate): what a LightGBM or XGBoost file predicts. Sums are the library's own
 * type in its order (LightGBM's doubles for X of float64, XGBoost's floats for float32), and the
 * transform is computed as the library does, with the C library's exp. Outputs: prediction, raw. */
#include <math.h>
#include <string.h>

#include "op/tree_forest.h"

typedef enum transform {
  NONE,
  SIGMOID,   /* 1 / (1 + exp(-scale x)) */
  EXP,       /* counts and durations */
  LOG1P_EXP, /* cross_entropy_lambda */
  SQUARE,    /* regression of roots: sign(x) x x */
  SOFTMAX,
  HINGE, /* x > 0 */
  ARGMAX /* the class of the greatest score */
} transform;

typedef struct params {
  const hy__forest *forest;
  transform how;
  double scale, divisor;
  const double *start;
  size_t n_targets, scores_at;
} params;

static hy_status transform_of(const hy__node *node, transform *out, hy_error *err) {
  static const char *const names[] = {"none",   "sigmoid", "exp",   "log1p_exp",
                                      "square", "softmax", "hinge", "argmax"};
  const hy_string s = hy__node_string(node, "transform", "");
  for (size_t i = 0; i < HY_COUNT(names); ++i) {
    *out = (transform)i;
    if (s.len_bytes == strlen(names[i]) && !memcmp(s.data, names[i], s.len_bytes)) return HY_OK;
  }
  HY_FAIL(HY_INTERNAL, err, "an unknown transform of trees");
}

hy_status hy__op_tree_score_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const int64_t features = hy__node_int(p->node, "n_features", 0);
  const int64_t targets = hy__node_int(p->node, "n_targets", 1);
  transform how;
  HY_FAIL_IF(x->rank != 2 || x->dims[1] != features, HY_BAD_FORMAT, err,
             "X is not of %lld features", (long long)features);
  HY_TRY(transform_of(p->node, &how, err));
  const int64_t prediction[2] = {x->dims[0], how == ARGMAX ? 1 : targets};
  HY_TRY(hy__op_out(p, 0, x->dtype, 2, prediction, err));
  return hy__op_out(p, 1, x->dtype, 2, (const int64_t[2]){x->dims[0], targets}, err);
}

/* --- LightGBM: doubles --- */

static void softmax_f64(const double *raw, double *y, size_t n) {
  double most = raw[0], sum = 0.0;
  for (size_t i = 1; i < n; ++i) most = raw[i] > most ? raw[i] : most;
  for (size_t i = 0; i < n; ++i) sum += y[i] = exp(raw[i] - most);
  for (size_t i = 0; i < n; ++i) y[i] /= sum;
}

static double transform_f64(const params *q, double x) {
  switch (q->how) {
  case SIGMOID: return 1.0 / (1.0 + exp(-q->scale * x));
  case EXP: return exp(x);
  case LOG1P_EXP: return log1p(exp(x));
  case SQUARE: return (double)((x > 0.0) - (x < 0.0)) * x * x;
  default: return x;
  }
}

static void finish_f64(const params *q, const double *sums, double *prediction, double *raw) {
  const size_t n = q->n_targets;
  if (raw) memcpy(raw, sums, n * sizeof *raw);
  if (!prediction) return;
  for (size_t i = 0; i < n; ++i) prediction[i] = q->divisor == 1.0 ? sums[i] : sums[i] / q->divisor;
  if (q->how == SOFTMAX) {
    softmax_f64(prediction, prediction, n);
    return;
  }
  for (size_t i = 0; i < n; ++i) prediction[i] = transform_f64(q, prediction[i]);
}

/* --- XGBoost: floats --- */

static void softmax_f32(const double *raw, float *y, size_t n) {
  float most = (float)raw[0];
  double sum = 0.0;
  for (size_t i = 1; i < n; ++i) most = (float)raw[i] > most ? (float)raw[i] : most;
  for (size_t i = 0; i < n; ++i) sum += (double)(y[i] = expf((float)raw[i] - most));
  for (size_t i = 0; i < n; ++i) y[i] /= (float)sum;
}

static float transform_f32(const params *q, float x) {
  switch (q->how) {
  case SIGMOID: return 1.0f / (expf(fminf(-x, 88.7f)) + 1.0f);
  case EXP: return expf(x);
  case HINGE: return x > 0.0f ? 1.0f : 0.0f;
  default: return x;
  }
}

static void finish_f32(const params *q, const double *sums, float *prediction, float *raw) {
  const size_t n = q->n_targets;
  size_t best = 0;
  for (size_t i = 0; raw && i < n; ++i) raw[i] = (float)sums[i];
  if (!prediction) return;
  switch (q->how) {
  case SOFTMAX: softmax_f32(sums, prediction, n); break;
  case ARGMAX:
    for (size_t i = 1; i < n; ++i)
      if (sums[i] > sums[best]) best = i;
    prediction[0] = (float)best;
    break;
  default:
    for (size_t i = 0; i < n; ++i) prediction[i] = transform_f32(q, (float)sums[i]);
  }
}

static void finish(const hy__step *step, const params *q, size_t row, const double *sums) {
  const hy_tensor *prediction = &step->out[0], *raw = step->n_out > 1 ? &step->out[1] : NULL;
  const size_t each = hy_dtype_bytes(step->in[0].dtype);
  char *to = prediction->data, *to_raw = raw ? raw->data : NULL;
  if (to) to += row * (size_t)prediction->dims[1] * each;
  if (to_raw) to_raw += row * q->n_targets * each;
  if (each == sizeof(double))
    finish_f64(q, sums, (double *)(void *)to, (double *)(void *)to_raw);
  else
    finish_f32(q, sums, (float *)(void *)to, (float *)(void *)to_raw);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  const size_t features = (size_t)x->dims[1], rows = (size_t)x->dims[0];
  double *sums = (double *)(void *)((char *)step->scratch + q->scores_at);
  (void)err;
  for (size_t begin = 0; begin < rows; begin += HY__TREE_ROWS) {
    const size_t n = HY_MIN((size_t)HY__TREE_ROWS, rows - begin);
    const hy__tree_call call = {.forest = q->forest,
                                .x = (const char *)x->data +
                                     begin * features * hy_dtype_bytes(x->dtype),
                                .x_ld = features,
                                .rows = n,
                                .scratch = step->scratch,
                                .start = q->start,
                                .scores = sums,
                                .aggregate = x->dtype == HY_F64 ? HY__TREE_SUM : HY__TREE_SUM_F32};
    step->kernels->tree->run(&call);
    for (size_t i = 0; i < n; ++i) finish(step, q, begin + i, sums + i * q->n_targets);
  }
  return HY_OK;
}

static hy_status numbers_of(const hy__node *node, const char *name, const double **out,
                            hy_error *err) {
  const hy__attr *a = hy__node_attr(node, name);
  HY_FAIL_IF(!a || a->kind != HY__ATTR_TENSOR || a->as.tensor->dtype != HY_F64, HY_INTERNAL, err,
             "attribute %s is missing", name);
  *out = a->as.tensor->data;
  return HY_OK;
}

hy_status hy__op_tree_score_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  const double *numbers;
  const hy_tensor *x = &p->in[0];
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(transform_of(p->node, &q->how, err));
  HY_TRY(numbers_of(p->node, "start", &q->start, err));
  HY_TRY(numbers_of(p->node, "numbers", &numbers, err));
  q->scale = numbers[0];
  q->divisor = numbers[1];
  q->n_targets = (size_t)hy__node_int(p->node, "n_targets", 1);
  const hy__tree_want want = {.reader = hy__tree_read_native,
                              .key = hy__node_attr(p->node, "mode")->as.tensor->data,
                              .n_features = (size_t)x->dims[1],
                              .n_targets = q->n_targets,
                              .f64 = x->dtype == HY_F64};
  hy__tree_forest trees;
  HY_TRY(hy__tree_forest_get(p, &want, &trees, err));
  q->forest = trees.forest;
  const size_t kernel = hy__tree_scratch_bytes(q->forest);
  q->scores_at = (kernel + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN;
  p->scratch_bytes = q->scores_at + HY__TREE_ROWS * q->n_targets * sizeof(double);
  p->params = q;
  p->run = run;
  return HY_OK;
}
