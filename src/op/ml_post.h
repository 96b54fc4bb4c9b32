/* SPDX-License-Identifier: Apache-2.0
 * What the operators of ai.onnx.ml share: post transforms, class labels, inputs as floats. */
#ifndef HY_OP_ML_POST_H
#define HY_OP_ML_POST_H

#include "op/rule.h"

typedef enum hy__ml_post {
  HY__POST_NONE,
  HY__POST_LOGISTIC,
  HY__POST_SOFTMAX,
  HY__POST_SOFTMAX_ZERO,
  HY__POST_PROBIT
} hy__ml_post;

HY_CHECKED hy_status hy__ml_post_of(const hy__node *node, hy__ml_post *out, hy_error *err);
/* n scores of a row in place. */
void hy__ml_post_row(hy__ml_post post, double *scores, size_t n);
double hy__ml_logistic(double x);
/* The logistic function of -x and of x. */
void hy__ml_logistic_pair(double x, double *pair);
double hy__ml_probit(double x);

/* Labels of a classifier: int64 or strings, by the attributes `ints` and `strings`. */
typedef struct hy__ml_labels {
  const int64_t *ints;
  const hy_string *strings;
  size_t n;
} hy__ml_labels;
HY_CHECKED hy_status hy__ml_labels_of(const hy__node *node, const char *ints, const char *strings,
                                      hy__ml_labels *out, hy_error *err);
static inline hy_dtype hy__ml_label_type(const hy__ml_labels *l) {
  return l->strings ? HY_STRING : HY_I64;
}
/* Writes label `index` to element `at` of y. */
void hy__ml_label_put(const hy__ml_labels *l, size_t index, hy_tensor *y, size_t at);

/* A matrix [rows, features] from a tensor of rank 1 (one row) or 2. */
HY_CHECKED hy_status hy__ml_matrix(const hy_tensor *x, int64_t *rows, int64_t *features,
                                   hy_error *err);
/* Element i of a numeric tensor; the values [begin, begin + n) of one as floats. */
double hy__ml_at(const hy_tensor *x, size_t i);
void hy__ml_floats(const hy_tensor *x, size_t begin, size_t n, float *out);

#endif
