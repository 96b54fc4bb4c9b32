/* SPDX-License-Identifier: Apache-2.0
 * Forests of decision trees. A number becomes an integer key of the same order (sign-magnitude bits
 * folded), so that every comparison mode, with its missing direction, is one integer comparison and
 * is exact. */
#ifndef HY_KERNEL_TREE_TREE_H
#define HY_KERNEL_TREE_TREE_H

#include "base/base.h"

/* ONNX's modes; the comparison is x MODE threshold and picks if_true. */
typedef enum hy__tree_mode {
  HY__TREE_LEAF,
  HY__TREE_LEQ,
  HY__TREE_LT,
  HY__TREE_GTE,
  HY__TREE_GT,
  HY__TREE_EQ,
  HY__TREE_NEQ
} hy__tree_mode;

/* A forest as a model describes it: nodes by index, each in one tree. */
typedef struct hy__tree_source {
  size_t n_nodes, n_trees, n_features, n_targets, n_weights;
  const uint8_t *mode; /* hy__tree_mode */
  const uint32_t *feature;
  const double *threshold;
  const uint32_t *if_true, *if_false;
  const uint8_t *missing_true;  /* NaN takes if_true */
  const uint32_t *roots;        /* [n_trees] */
  const uint32_t *weight_begin; /* [n_nodes + 1]: the leaf's weights */
  const uint32_t *target;       /* [n_weights] */
  const double *weight;
  bool f64; /* inputs are float64: keys of 64 bits */
} hy__tree_source;

/* One node, children adjacent: the next is left + (key of x > key). A leaf looks at a slot that is
 * never greater and stays; its key holds the bits of its only weight, or its number. */
typedef struct hy__tree_node {
  int32_t key;
  uint16_t slot, left; /* left counts from the tree's first node */
} hy__tree_node;

typedef struct hy__tree_node_wide {
  int64_t key;
  uint32_t slot, left;
} hy__tree_node_wide;

/* The packed forest: one block of memory that begins with this. Immutable. */
typedef struct hy__forest {
  size_t n_trees, n_features, n_targets, n_nodes;
  bool wide;   /* nodes are hy__tree_node_wide and keys int64_t */
  bool single; /* one target, one weight in every leaf: it stands in the key (float, double) */
  const void *nodes;
  const uint32_t *base;        /* [n_trees] first node */
  const uint32_t *depth;       /* [n_trees] steps to the deepest leaf */
  const uint32_t *leaf_begin;  /* [leaves + 1], not single */
  const uint32_t *leaf_target; /* of each weight */
  const double *leaf_weight;
} hy__forest;

/* Bytes of the packed forest at most; false on overflow or past 2^31 nodes. */
bool hy__forest_bytes(const hy__tree_source *source, size_t *out);
/* Packs into `block` (zeroed, 64-byte aligned). Refuses (BAD_FORMAT) nodes out of range, reached
 * twice or in a cycle; `work` holds hy__forest_work_bytes. */
HY_CHECKED hy_status hy__forest_pack(const hy__tree_source *source, void *work, void *block,
                                     hy_error *err);
size_t hy__forest_work_bytes(const hy__tree_source *source);

typedef enum hy__tree_aggregate { HY__TREE_SUM, HY__TREE_MIN, HY__TREE_MAX } hy__tree_aggregate;

/* Keys of a row: two slots per feature (NaN as the greatest, NaN as the least) and the leaves'
 * slot. */
static inline size_t hy__forest_slots(const hy__forest *f) { return 2 * f->n_features + 1; }

typedef struct hy__tree_call {
  const hy__forest *forest;
  const void *x; /* [rows][n_features] float, or double where wide64 */
  bool x_f64;    /* x is double (the forest is wide) */
  size_t x_ld;   /* elements between rows */
  size_t rows;
  void *keys;     /* scratch: hy__tree_scratch_bytes */
  double *scores; /* [rows][n_targets], overwritten: trees in order, in double */
  uint8_t *hits;  /* [rows][n_targets] or NULL: whether any leaf names the target */
  hy__tree_aggregate aggregate;
} hy__tree_call;

enum { HY__TREE_ROWS = 64 }; /* rows of a block, whose keys stay in cache */
size_t hy__tree_scratch_bytes(const hy__forest *forest);

typedef struct hy__tree {
  void (*run)(const hy__tree_call *call);
} hy__tree;

#endif
