/* SPDX-License-Identifier: Apache-2.0
 * TreeEnsembleRegressor's and TreeEnsembleClassifier's attributes as a forest's description. */
#ifndef HY_OP_TREE_SOURCE_H
#define HY_OP_TREE_SOURCE_H

#include "op/rule.h"

/* Reads the node's attributes into arrays of one allocation (*memory, *bytes; the caller frees it
 * with the runtime's allocator, also after an error). n_targets and f64 are set before. */
typedef struct hy__tree_read {
  const hy_allocator *allocator;
  const hy__node *node;
  bool classifier;
  hy__tree_source source;
  void *memory;
  size_t bytes;
} hy__tree_read;

HY_CHECKED hy_status hy__tree_read_attrs(hy__tree_read *read, hy_error *err);
void hy__tree_read_free(hy__tree_read *read);

/* A list of floats: the attribute `name`, or the doubles or floats of `name`_as_tensor. */
typedef struct hy__float_list {
  const float *f32;
  const double *f64; /* one of both, NULL if absent */
  size_t n;
} hy__float_list;
HY_CHECKED hy_status hy__float_list_of(const hy__node *node, const char *name,
                                       const char *tensor_name, hy__float_list *out, hy_error *err);
static inline double hy__float_list_at(const hy__float_list *l, size_t i) {
  return l->f64 ? l->f64[i] : (double)l->f32[i];
}

#endif
