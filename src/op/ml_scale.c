/* SPDX-License-Identifier: Apache-2.0 */
/* Scaler, Imputer, Binarizer and Normalizer (ai.onnx.ml): features one by one, or a row by its
 * norm. */
#include <math.h>
#include <string.h>

#include "op/ml_post.h"

typedef enum kind { SCALER, IMPUTER, BINARIZER, NORM_MAX, NORM_L1, NORM_L2 } kind;

typedef struct params {
  kind kind;
  size_t features;
  /* Scaler: offset and scale; Imputer: the value in place of a missing one; per feature. */
  const float *a, *b;
  const int64_t *whole; /* Imputer of integers */
  size_t n_a, n_b;      /* 1: the same for all features */
  float value;          /* Imputer: what counts as missing (NaN too); Binarizer: the threshold */
  int64_t whole_value;
} params;

static kind kind_of(const hy__node *node) {
  switch (node->op_type[0]) {
  case 'S': return SCALER;
  case 'I': return IMPUTER;
  case 'B': return BINARIZER;
  default: break;
  }
  hy_string norm = hy__node_string(node, "norm", "MAX");
  if (norm.len_bytes == 2 && !memcmp(norm.data, "L1", 2)) return NORM_L1;
  if (norm.len_bytes == 2 && !memcmp(norm.data, "L2", 2)) return NORM_L2;
  return NORM_MAX;
}

hy_status hy__op_ml_scale_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const kind how = kind_of(p->node);
  HY_FAIL_IF(x->rank < 1, HY_BAD_FORMAT, err, "X is a scalar; rows of features are expected");
  HY_FAIL_IF(how >= NORM_MAX && x->rank > 2, HY_BAD_FORMAT, err, "X has %d dims", x->rank);
  p->out_inplace[0] = 1;
  hy_dtype out = how == IMPUTER || how == BINARIZER ? x->dtype : HY_F32;
  return hy__op_out(p, 0, out, x->rank, x->dims, err);
}

static void scale(const hy__step *step, float *y, size_t n) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  const float *from = x->data;
  if (x->dtype != HY_F32) {
    hy__ml_floats(x, 0, n, y);
    from = y;
  }
  const hy__scale_call call = {.x = from,
                               .offset = q->a,
                               .factor = q->b,
                               .rows = n / q->features,
                               .features = q->features,
                               .y = y};
  step->kernels->vectors_f32->scale(&call);
}

#define IMPUTE(type, missing, with)                                                                \
  static void impute_##type(const params *q, const type *x, type *y, size_t n) {                   \
    for (size_t i = 0, at = 0; i < n; ++i, at = at + 1 == q->features ? 0 : at + 1) {              \
      const size_t j = q->n_a > 1 ? at : 0;                                                        \
      const type v = x[i];                                                                         \
      y[i] = (missing) ? (type)(with) : v;                                                         \
    }                                                                                              \
  }
IMPUTE(float, v == q->value || (q->value != q->value && v != v), q->a[j])
IMPUTE(double, v == (double)q->value || (q->value != q->value && v != v), q->a[j])
IMPUTE(int64_t, v == q->whole_value, q->whole[j])
IMPUTE(int32_t, v == q->whole_value, q->whole[j])
#undef IMPUTE

static void impute(const params *q, const hy_tensor *x, void *y, size_t n) {
  switch (x->dtype) {
  case HY_F32: impute_float(q, x->data, y, n); break;
  case HY_F64: impute_double(q, x->data, y, n); break;
  case HY_I64: impute_int64_t(q, x->data, y, n); break;
  default: impute_int32_t(q, x->data, y, n); break;
  }
}

static void binarize(const params *q, const hy_tensor *x, void *y, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const bool over = hy__ml_at(x, i) > (double)q->value;
    switch (x->dtype) {
    case HY_F32: ((float *)y)[i] = over; break;
    case HY_F64: ((double *)y)[i] = over; break;
    case HY_I64: ((int64_t *)y)[i] = over; break;
    default: ((int32_t *)y)[i] = over; break;
    }
  }
}

/* The norm of a row as ONNX Runtime has it: MAX is the greatest value, not magnitude. */
static double norm_of(kind how, const hy_tensor *x, size_t first, size_t n) {
  double norm = how == NORM_MAX ? -(double)INFINITY : 0.0;
  for (size_t j = 0; j < n; ++j) {
    const double v = hy__ml_at(x, first + j);
    if (how == NORM_MAX)
      norm = v > norm ? v : norm;
    else
      norm += how == NORM_L1 ? fabs(v) : v * v;
  }
  return how == NORM_L2 ? sqrt(norm) : norm;
}

static void normalize(const params *q, const hy_tensor *x, float *y, size_t n) {
  for (size_t first = 0; first < n; first += q->features) {
    const double norm = norm_of(q->kind, x, first, q->features);
    for (size_t j = 0; j < q->features; ++j) {
      const double v = hy__ml_at(x, first + j);
      y[first + j] = (float)(norm == 0.0 ? v : v / norm);
    }
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  void *y = step->out[0].data;
  const size_t n = hy__op_count_of(x);
  (void)err;
  switch (q->kind) {
  case SCALER: scale(step, y, n); break;
  case IMPUTER: impute(q, x, y, n); break;
  case BINARIZER: binarize(q, x, y, n); break;
  default: normalize(q, x, y, n); break;
  }
  return HY_OK;
}

/* A list of one value or one per feature; absent: `otherwise` for all. */
static hy_status floats_of(const hy__op_plan *p, const params *q, const char *name,
                           const float **out, size_t *n, hy_error *err) {
  static const float zero = 0.0f, one = 1.0f;
  const hy__attr *a = hy__node_attr(p->node, name);
  *n = 1;
  *out = !strcmp(name, "scale") ? &one : &zero;
  if (!a || a->kind != HY__ATTR_FLOATS || a->n == 0) return HY_OK;
  HY_FAIL_IF(a->n != 1 && a->n != q->features, HY_BAD_FORMAT, err,
             "%s has %zu values for %zu features", name, a->n, q->features);
  *out = a->as.floats;
  *n = a->n;
  return HY_OK;
}

/* A value for all features, spelt out. */
static hy_status one_each(const hy__op_plan *p, const params *q, const float **values, size_t n,
                          hy_error *err) {
  float *each;
  size_t bytes;
  if (n == q->features) return HY_OK;
  HY_FAIL_IF(!hy__mul(q->features, sizeof *each, &bytes), HY_LIMIT, err, "too many features");
  HY_TRY(hy__arena_alloc(p->arena, bytes, HY_ALIGN, (void **)&each, err));
  for (size_t j = 0; j < q->features; ++j) each[j] = **values;
  *values = each;
  return HY_OK;
}

static hy_status lower_imputer(const hy__op_plan *p, params *q, hy_error *err) {
  static const int64_t zero = 0;
  q->value = hy__node_float(p->node, "replaced_value_float", 0.0f);
  q->whole_value = hy__node_int(p->node, "replaced_value_int64", 0);
  if (p->in[0].dtype == HY_F32 || p->in[0].dtype == HY_F64)
    return floats_of(p, q, "imputed_value_floats", &q->a, &q->n_a, err);
  const hy__attr *a = hy__node_attr(p->node, "imputed_value_int64s");
  q->whole = &zero;
  q->n_a = 1;
  if (!a || a->kind != HY__ATTR_INTS || a->n == 0) return HY_OK;
  HY_FAIL_IF(a->n != 1 && a->n != q->features, HY_BAD_FORMAT, err,
             "imputed_value_int64s has %zu values for %zu features", a->n, q->features);
  q->whole = a->as.ints;
  q->n_a = a->n;
  return HY_OK;
}

hy_status hy__op_ml_scale_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->kind = kind_of(p->node);
  q->features = (size_t)HY_MAX(x->dims[x->rank - 1], (int64_t)1);
  if (q->kind == SCALER) {
    HY_TRY(floats_of(p, q, "offset", &q->a, &q->n_a, err));
    HY_TRY(floats_of(p, q, "scale", &q->b, &q->n_b, err));
    HY_TRY(one_each(p, q, &q->a, q->n_a, err));
    HY_TRY(one_each(p, q, &q->b, q->n_b, err));
  } else if (q->kind == IMPUTER) {
    HY_TRY(lower_imputer(p, q, err));
  } else if (q->kind == BINARIZER) {
    q->value = hy__node_float(p->node, "threshold", 0.0f);
  }
  p->params = q;
  p->run = run;
  return HY_OK;
}
