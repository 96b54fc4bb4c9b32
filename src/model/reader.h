/* SPDX-License-Identifier: Apache-2.0
 * Readers of model files other than ONNX: each knows its files by their first bytes and fills the
 * model's graph. A reader is a file and a row of reader.inc. */
#ifndef HY_MODEL_READER_H
#define HY_MODEL_READER_H

#include "model/onnx.h"

typedef struct hy__reader {
  const char *name;
  bool (*probe)(hy__span in);
  hy_status (*read)(hy_model *model, hy_error *err);
} hy__reader;

#define HY_READER(name, title, magic, extensions)                                                  \
  bool hy__read_##name##_probe(hy__span in);                                                       \
  hy_status hy__read_##name(hy_model *model, hy_error *err);
#include "model/reader.inc"
#undef HY_READER

/* The reader of a file, NULL: ONNX. */
const hy__reader *hy__reader_for(hy__span in);

/* --- models of trees --- */

/* Trees as readers gather them, in arrays of the model's arena: nodes tree after tree, one weight
 * per leaf. The arrays become attributes of the operator TreeScore in place. */
typedef struct hy__tree_lists {
  size_t n_nodes, n_trees, n_weights, n_sets, n_set_values; /* so far */
  uint8_t *mode;                                            /* of hy__tree_list_mode */
  uint8_t *missing_true, *zero_missing;
  uint32_t *feature, *if_true, *if_false, *roots, *weight_begin, *target, *set;
  double *threshold, *weight;
  uint32_t *set_begin; /* grown with the allocator until hy__tree_model copies them */
  double *set_value;
  size_t sets_capacity, set_values_capacity;
} hy__tree_lists;

/* The numbers of kernel/tree's hy__tree_mode, which this room does not see. */
typedef enum hy__tree_list_mode {
  HY__TREE_LIST_LEAF = 0,
  HY__TREE_LIST_LEQ = 1,
  HY__TREE_LIST_LT = 2,
  HY__TREE_LIST_CUT = 8,  /* the integer part is in the set */
  HY__TREE_LIST_WHOLE = 9 /* the same, of numbers not below zero */
} hy__tree_list_mode;

HY_CHECKED hy_status hy__tree_lists_make(hy_model *model, size_t n_nodes, size_t n_trees,
                                         size_t n_weights, hy__tree_lists *out, hy_error *err);
void hy__tree_lists_free(const hy_model *model, hy__tree_lists *lists);
HY_CHECKED hy_status hy__tree_lists_member(const hy_model *model, hy__tree_lists *lists,
                                           double value, hy_error *err);
HY_CHECKED hy_status hy__tree_lists_set_end(const hy_model *model, hy__tree_lists *lists,
                                            hy_error *err);

/* What stands around the trees. */
typedef struct hy__tree_model {
  const char *producer;  /* "LightGBM", "XGBoost" */
  const char *transform; /* see op/tree_score.c */
  hy_dtype dtype;        /* of X and the scores */
  size_t n_features, n_targets;
  const double *start; /* [n_targets] or NULL: zeros */
  double scale;        /* of the transform */
  double divisor;      /* of the sums, before it */
} hy__tree_model;

/* The graph: X [N, n_features] to prediction [N, ..] and raw [N, n_targets]. */
HY_CHECKED hy_status hy__tree_model_make(hy_model *model, const hy__tree_lists *lists,
                                         const hy__tree_model *what, hy_error *err);

#endif
