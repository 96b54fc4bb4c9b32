/* SPDX-License-Identifier: Apache-2.0 */
/* LinearRegressor and LinearClassifier (ai.onnx.ml): sums in double.
 * Labels and columns of one score are ONNX Runtime's. */
#include <string.h>

#include "op/ml_post.h"

typedef struct params {
  const float *coefficients, *intercepts; /* [scores][features], [scores] or NULL */
  size_t features, n_scores, n_columns;
  hy__ml_post post;
  bool classifier;
  hy__ml_labels labels;
  size_t scores_bytes;
} params;

static hy_status measure(const hy__op_plan *p, params *q, hy_error *err) {
  int64_t rows, features;
  HY_TRY(hy__ml_matrix(&p->in[0], &rows, &features, err));
  q->features = (size_t)features;
  q->classifier = !strcmp(p->node->op_type, "LinearClassifier");
  const hy__attr *c = hy__node_attr(p->node, "coefficients");
  const hy__attr *i = hy__node_attr(p->node, "intercepts");
  HY_FAIL_IF(!c || c->kind != HY__ATTR_FLOATS || c->n == 0 || features < 1 ||
                 c->n % (size_t)features != 0,
             HY_BAD_FORMAT, err, "there are %zu coefficients for %lld features", c ? c->n : 0,
             (long long)features);
  q->n_scores = c->n / (size_t)features;
  q->coefficients = c->as.floats;
  const bool given = i && i->kind == HY__ATTR_FLOATS && i->n > 0;
  HY_FAIL_IF(given && i->n != q->n_scores, HY_BAD_FORMAT, err,
             "there are %zu intercepts for %zu scores", i->n, q->n_scores);
  q->intercepts = given ? i->as.floats : NULL;
  q->n_columns = q->n_scores;
  HY_TRY(hy__ml_post_of(p->node, &q->post, err));
  if (!q->classifier) {
    const int64_t targets = hy__node_int(p->node, "targets", 1);
    HY_FAIL_IF((size_t)targets != q->n_scores, HY_BAD_FORMAT, err,
               "there are %zu coefficients for %lld targets of %lld features", c->n,
               (long long)targets, (long long)features);
    return HY_OK;
  }
  HY_TRY(hy__ml_labels_of(p->node, "classlabels_ints", "classlabels_strings", &q->labels, err));
  const bool binary = q->n_scores == 1 && q->labels.n == 2;
  HY_FAIL_IF(!binary && q->labels.n != q->n_scores, HY_BAD_FORMAT, err,
             "there are %zu labels for %zu scores", q->labels.n, q->n_scores);
  if (binary) q->n_columns = 2;
  return HY_OK;
}

hy_status hy__op_ml_linear_infer(hy__op_plan *p, hy_error *err) {
  params q = {0};
  HY_TRY(measure(p, &q, err));
  const int64_t rows = p->in[0].rank == 2 ? p->in[0].dims[0] : 1;
  const int64_t dims[2] = {rows, (int64_t)q.n_columns};
  if (!q.classifier) return hy__op_out(p, 0, HY_F32, 2, dims, err);
  HY_TRY(hy__op_out(p, 0, hy__ml_label_type(&q.labels), 1, &rows, err));
  return p->n_out > 1 ? hy__op_out(p, 1, HY_F32, 2, dims, err) : HY_OK;
}

enum { TOGETHER = 64 }; /* rows scored before their labels and columns are made */

/* The scores of up to TOGETHER rows, n_columns apart. */
static void scores_of(const hy__step *step, size_t row, size_t n_rows, double *scores) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  if (x->dtype == HY_F32) {
    const hy__forms_call call = {.x = (const float *)x->data + row * q->features,
                                 .c = q->coefficients,
                                 .start = q->intercepts,
                                 .rows = n_rows,
                                 .features = q->features,
                                 .forms = q->n_scores,
                                 .out_ld = q->n_columns,
                                 .out = scores};
    step->kernels->vectors_f32->forms(&call);
    return;
  }
  for (size_t r = 0; r < n_rows; ++r)
    for (size_t s = 0; s < q->n_scores; ++s) {
      const float *c = q->coefficients + s * q->features;
      double sum = q->intercepts ? (double)q->intercepts[s] : 0.0;
      for (size_t j = 0; j < q->features; ++j)
        sum += hy__ml_at(x, (row + r) * q->features + j) * (double)c[j];
      scores[r * q->n_columns + s] = sum;
    }
}

static size_t label_of(const params *q, const double *scores) {
  size_t best = 0;
  if (q->n_scores == 1) return q->n_columns == 2 ? scores[0] > 0.0 : 0;
  for (size_t s = 1; s < q->n_scores; ++s)
    if (scores[s] > scores[best]) best = s;
  return best;
}

static void columns_of(const params *q, double *scores) {
  if (q->n_scores > 1 || q->post == HY__POST_PROBIT) {
    hy__ml_post_row(q->post, scores, q->n_scores);
  } else if (q->n_columns == 2 && q->post == HY__POST_LOGISTIC) {
    hy__ml_logistic_pair(scores[0], scores);
    return;
  }
  if (q->n_scores == 1 && q->n_columns == 2) {
    scores[1] = scores[0];
    scores[0] = 1.0 - scores[0];
  }
}

/* Label and columns of a row from its scores. */
static void put_row(const hy__step *step, size_t row, double *scores) {
  const params *q = step->params;
  float *z = q->classifier ? (step->n_out > 1 ? step->out[1].data : NULL) : step->out[0].data;
  if (q->classifier && step->out[0].data)
    hy__ml_label_put(&q->labels, label_of(q, scores), &step->out[0], row);
  if (!z) return;
  columns_of(q, scores);
  for (size_t s = 0; s < q->n_columns; ++s) z[row * q->n_columns + s] = (float)scores[s];
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  const size_t rows = x->rank == 2 ? (size_t)x->dims[0] : 1;
  (void)err;
  for (size_t first = 0; first < rows; first += TOGETHER) {
    const size_t n = HY_MIN((size_t)TOGETHER, rows - first);
    scores_of(step, first, n, step->scratch);
    for (size_t r = 0; r < n; ++r)
      put_row(step, first + r, (double *)step->scratch + r * q->n_columns);
  }
  return HY_OK;
}

hy_status hy__op_ml_linear_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(measure(p, q, err));
  HY_FAIL_IF(!hy__mul(q->n_columns, TOGETHER * sizeof(double), &p->scratch_bytes), HY_LIMIT, err,
             "too many scores");
  p->params = q;
  p->run = run;
  return HY_OK;
}
