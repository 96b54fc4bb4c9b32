/* SPDX-License-Identifier: Apache-2.0
 * A node's trees as a packed forest, made once per model; for the operators that hold trees. */
#ifndef HY_OP_TREE_FOREST_H
#define HY_OP_TREE_FOREST_H

#include "op/rule.h"

enum { HY__TREE_BLOCKS = 4 };
/* A node's trees as its attributes give them. The arrays are in `memory`, or the model's. */
typedef struct hy__tree_read {
  const hy_allocator *allocator;
  const hy__node *node;
  hy__tree_source source;        /* n_features, n_targets and f64 are set before */
  void *memory[HY__TREE_BLOCKS]; /* the reader's, freed with hy__tree_read_free */
  size_t bytes[HY__TREE_BLOCKS], n_blocks;
} hy__tree_read;
/* Another block, uninitialised: the last in `memory`. */
HY_CHECKED hy_status hy__tree_read_more(hy__tree_read *read, size_t bytes, hy_error *err);
void hy__tree_read_free(hy__tree_read *read);

/* The readers: TreeEnsembleRegressor and -Classifier (ai.onnx.ml 1 to 4), TreeEnsemble (5), and
 * the trees of LightGBM and XGBoost (hayate). */
typedef hy_status (*hy__tree_reader)(hy__tree_read *read, hy_error *err);
HY_CHECKED hy_status hy__tree_read_lists(hy__tree_read *read, hy_error *err);
HY_CHECKED hy_status hy__tree_read_ensemble(hy__tree_read *read, hy_error *err);
HY_CHECKED hy_status hy__tree_read_native(hy__tree_read *read, hy_error *err);

/* The forest, and what an operator asks of the source once. */
typedef struct hy__tree_forest {
  const hy__forest *forest;
  bool one_target; /* of several, all weights are of one, which is the forest's only target */
  size_t target;   /* that one */
} hy__tree_forest;

/* key: memory that lives as long as the model, and is this node's alone. may_join: one target of
 * two may become the only one. */
typedef struct hy__tree_want {
  hy__tree_reader reader;
  const void *key;
  size_t n_features, n_targets;
  bool f64, may_join;
} hy__tree_want;
HY_CHECKED hy_status hy__tree_forest_get(hy__op_plan *p, const hy__tree_want *want,
                                         hy__tree_forest *out, hy_error *err);

/* A list of floats: the attribute `name`, or the numbers of the tensor `tensor_name` (floats,
 * doubles or halves). */
typedef struct hy__float_list {
  const float *f32;
  const double *f64;
  const uint16_t *f16; /* one of the three, NULL if absent */
  size_t n;
} hy__float_list;
HY_CHECKED hy_status hy__float_list_of(const hy__node *node, const char *name,
                                       const char *tensor_name, hy__float_list *out, hy_error *err);
double hy__float_list_at(const hy__float_list *l, size_t i);

#endif
