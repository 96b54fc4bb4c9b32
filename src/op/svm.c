/* SPDX-License-Identifier: Apache-2.0 */
/* SVMRegressor (ai.onnx.ml): y = sum of coefficient * kernel(x, support vector) + rho, or a linear
 * form where there are no support vectors; one_class gives the sign. In double, in the order of the
 * file. */
#include <math.h>
#include <string.h>

#include "op/ml_post.h"

typedef enum kernel { LINEAR, POLY, RBF, SIGMOID } kernel;

typedef struct params {
  kernel kernel;
  double gamma, coef0, degree, rho;
  const float *coefficients, *vectors; /* vectors NULL: the coefficients are the linear form */
  size_t n_vectors, features;
  bool one_class;
} params;

hy_status hy__op_svm_infer(hy__op_plan *p, hy_error *err) {
  int64_t rows, features;
  HY_TRY(hy__ml_matrix(&p->in[0], &rows, &features, err));
  return hy__op_out(p, 0, HY_F32, 2, (const int64_t[2]){rows, 1}, err);
}

static double kernel_of(const params *q, const hy_tensor *x, size_t first, const float *v) {
  double sum = 0.0;
  for (size_t j = 0; j < q->features; ++j) {
    const double a = hy__ml_at(x, first + j), b = (double)v[j];
    sum += q->kernel == RBF ? (a - b) * (a - b) : a * b;
  }
  switch (q->kernel) {
  case POLY: return pow(q->gamma * sum + q->coef0, q->degree);
  case RBF: return hy__exp(-q->gamma * sum);
  case SIGMOID: return tanh(q->gamma * sum + q->coef0);
  default: return sum;
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  const size_t rows = (size_t)step->out[0].dims[0];
  float *y = step->out[0].data;
  (void)err;
  for (size_t row = 0; row < rows; ++row) {
    double sum = q->rho;
    if (!q->vectors) sum += kernel_of(q, x, row * q->features, q->coefficients);
    for (size_t i = 0; i < q->n_vectors; ++i)
      sum += (double)q->coefficients[i] *
             kernel_of(q, x, row * q->features, q->vectors + i * q->features);
    y[row] = (float)(!q->one_class ? sum : sum > 0.0 ? 1.0 : -1.0);
  }
  return HY_OK;
}

static hy_status lower_kernel(const hy__node *node, params *q, hy_error *err) {
  static const char *const names[] = {"LINEAR", "POLY", "RBF", "SIGMOID"};
  const hy_string s = hy__node_string(node, "kernel_type", "LINEAR");
  size_t i = 0;
  while (i < 4 && (s.len_bytes != strlen(names[i]) || memcmp(s.data, names[i], s.len_bytes) != 0))
    ++i;
  HY_FAIL_IF(i == 4, HY_BAD_FORMAT, err, "kernel_type is '%.*s'",
             (int)HY_MIN(s.len_bytes, (size_t)40), s.data);
  q->kernel = (kernel)i;
  const hy__attr *list = hy__node_attr(node, "kernel_params");
  const bool given = list && list->kind == HY__ATTR_FLOATS && list->n > 0;
  HY_FAIL_IF(given && list->n != 3, HY_BAD_FORMAT, err, "kernel_params has %zu values, not 3",
             list->n);
  q->gamma = given ? (double)list->as.floats[0] : 0.0;
  q->coef0 = given ? (double)list->as.floats[1] : 0.0;
  q->degree = given ? (double)list->as.floats[2] : 0.0;
  return HY_OK;
}

static hy_status lower_vectors(const hy__node *node, params *q, hy_error *err) {
  const hy__attr *c = hy__node_attr(node, "coefficients"), *rho = hy__node_attr(node, "rho");
  const hy__attr *v = hy__node_attr(node, "support_vectors");
  const int64_t n = hy__node_int(node, "n_supports", 0);
  HY_FAIL_IF(!c || c->kind != HY__ATTR_FLOATS || !rho || rho->kind != HY__ATTR_FLOATS ||
                 rho->n == 0 || n < 0,
             HY_BAD_FORMAT, err, "coefficients or rho are missing");
  q->coefficients = c->as.floats;
  q->rho = (double)rho->as.floats[0];
  q->n_vectors = (size_t)n;
  if (n == 0) {
    HY_FAIL_IF(c->n != q->features, HY_BAD_FORMAT, err, "%zu coefficients for %zu features", c->n,
               q->features);
    q->kernel = LINEAR;
    return HY_OK;
  }
  size_t want;
  HY_FAIL_IF(!v || v->kind != HY__ATTR_FLOATS || c->n != q->n_vectors ||
                 !hy__mul(q->n_vectors, q->features, &want) || v->n != want,
             HY_BAD_FORMAT, err, "%zu coefficients and %zu numbers for %lld vectors of %zu", c->n,
             v ? v->n : 0, (long long)n, q->features);
  q->vectors = v->as.floats;
  return HY_OK;
}

hy_status hy__op_svm_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  int64_t rows, features;
  hy__ml_post post;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(hy__ml_matrix(&p->in[0], &rows, &features, err));
  HY_TRY(hy__ml_post_of(p->node, &post, err));
  HY_FAIL_IF(post != HY__POST_NONE, HY_UNSUPPORTED, err, "post_transform of an SVMRegressor");
  q->features = (size_t)features;
  q->one_class = hy__node_int(p->node, "one_class", 0) != 0;
  HY_TRY(lower_kernel(p->node, q, err));
  HY_TRY(lower_vectors(p->node, q, err));
  p->params = q;
  p->run = run;
  return HY_OK;
}
