/* SPDX-License-Identifier: Apache-2.0
 * Post transforms, class labels and inputs of the ai.onnx.ml operators. */
#include "op/ml_post.h"

#include <math.h>
#include <string.h>

hy_status hy__ml_post_of(const hy__node *node, hy__ml_post *out, hy_error *err) {
  static const char *const names[] = {"NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"};
  hy_string s = hy__node_string(node, "post_transform", "NONE");
  for (size_t i = 0; i < HY_COUNT(names); ++i) {
    if (s.len_bytes == strlen(names[i]) && !memcmp(s.data, names[i], s.len_bytes)) {
      *out = (hy__ml_post)i;
      return HY_OK;
    }
  }
  HY_FAIL(HY_BAD_FORMAT, err, "post_transform is '%.*s'", (int)HY_MIN(s.len_bytes, (size_t)40),
          s.data);
}

double hy__ml_logistic(double x) {
  const double e = hy__exp(-fabs(x)); /* no branch on the sign, which is anyone's guess */
  return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}

void hy__ml_logistic_pair(double x, double *pair) {
  const double e = hy__exp(-fabs(x)), of_lesser = e / (1.0 + e), of_greater = 1.0 / (1.0 + e);
  pair[0] = x >= 0.0 ? of_lesser : of_greater;
  pair[1] = x >= 0.0 ? of_greater : of_lesser;
}

/* The inverse of the normal distribution: bisection of erfc's sign, ended by Newton's steps. */
double hy__ml_probit(double p) {
  if (!(p > 0.0)) return p == 0.0 ? -(double)INFINITY : (double)NAN;
  if (!(p < 1.0)) return p == 1.0 ? (double)INFINITY : (double)NAN;
  double low = -39.0, high = 39.0;
  for (int i = 0; i < 60; ++i) {
    double middle = 0.5 * (low + high);
    if (0.5 * erfc(-middle * 0.70710678118654752) < p)
      low = middle;
    else
      high = middle;
  }
  return 0.5 * (low + high);
}

/* SOFTMAX_ZERO leaves scores that are zero at (nearly) zero. */
static void softmax(double *scores, size_t n, bool zero) {
  double max = -(double)INFINITY, sum = 0.0;
  for (size_t i = 0; i < n; ++i) max = scores[i] > max ? scores[i] : max;
  for (size_t i = 0; i < n; ++i) {
    bool skip = zero && fabs(scores[i]) <= 1e-7;
    scores[i] = skip ? scores[i] * hy__exp(-max) : hy__exp(scores[i] - max);
    sum += scores[i];
  }
  for (size_t i = 0; i < n; ++i) scores[i] /= sum;
}

void hy__ml_post_row(hy__ml_post post, double *scores, size_t n) {
  switch (post) {
  case HY__POST_LOGISTIC:
    for (size_t i = 0; i < n; ++i) scores[i] = hy__ml_logistic(scores[i]);
    break;
  case HY__POST_PROBIT:
    for (size_t i = 0; i < n; ++i) scores[i] = hy__ml_probit(scores[i]);
    break;
  case HY__POST_SOFTMAX: softmax(scores, n, false); break;
  case HY__POST_SOFTMAX_ZERO: softmax(scores, n, true); break;
  default: break;
  }
}

hy_status hy__ml_labels_of(const hy__node *node, const char *ints, const char *strings,
                           hy__ml_labels *out, hy_error *err) {
  const hy__attr *i = hy__node_attr(node, ints), *s = hy__node_attr(node, strings);
  *out = (hy__ml_labels){0};
  if (s && s->kind == HY__ATTR_STRINGS && s->n) {
    out->strings = s->as.strings;
    out->n = s->n;
  } else if (i && i->kind == HY__ATTR_INTS && i->n) {
    out->ints = i->as.ints;
    out->n = i->n;
  }
  HY_FAIL_IF(out->n == 0, HY_BAD_FORMAT, err, "neither %s nor %s names a class", ints, strings);
  return HY_OK;
}

void hy__ml_label_put(const hy__ml_labels *l, size_t index, hy_tensor *y, size_t at) {
  if (l->strings)
    ((hy_string *)y->data)[at] = l->strings[index];
  else
    ((int64_t *)y->data)[at] = l->ints[index];
}

hy_status hy__ml_matrix(const hy_tensor *x, int64_t *rows, int64_t *features, hy_error *err) {
  HY_FAIL_IF(x->rank != 1 && x->rank != 2, HY_BAD_FORMAT, err,
             "X has %d dims; rows of features are expected", x->rank);
  *rows = x->rank == 2 ? x->dims[0] : 1;
  *features = x->dims[x->rank - 1];
  return HY_OK;
}

double hy__ml_at(const hy_tensor *x, size_t i) {
  switch (x->dtype) {
  case HY_F32: return (double)((const float *)x->data)[i];
  case HY_F64: return ((const double *)x->data)[i];
  case HY_I64: return (double)((const int64_t *)x->data)[i];
  case HY_I32: return ((const int32_t *)x->data)[i];
  case HY_I16: return ((const int16_t *)x->data)[i];
  case HY_I8: return ((const int8_t *)x->data)[i];
  case HY_U16: return ((const uint16_t *)x->data)[i];
  case HY_U32: return ((const uint32_t *)x->data)[i];
  case HY_U64: return (double)((const uint64_t *)x->data)[i];
  default: return ((const uint8_t *)x->data)[i]; /* u8 and bool */
  }
}

void hy__ml_floats(const hy_tensor *x, size_t begin, size_t n, float *out) {
  if (x->dtype == HY_F32) {
    memcpy(out, (const float *)x->data + begin, n * sizeof *out);
    return;
  }
  for (size_t i = 0; i < n; ++i) {
    out[i] = x->dtype == HY_I64 ? (float)((const int64_t *)x->data)[begin + i]
                                : (float)hy__ml_at(x, begin + i);
  }
}
