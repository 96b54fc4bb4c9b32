/* SPDX-License-Identifier: Apache-2.0
 * Forests of decision trees by exact ranks. Every comparison of a feature with a threshold becomes
 * one byte comparison: the thresholds of a feature are sorted once, a number becomes the count of
 * those it passes, and a threshold its place among them. Features with more than 255 thresholds get
 * several bytes, one per 255; missing values are a byte of their own at either end; membership in a
 * set is a byte that is 0 inside. So one row of bytes, the slots, stands for a row of numbers, and
 * vectors hold 16 to 64 rows of a slot. */
#ifndef HY_KERNEL_TREE_TREE_H
#define HY_KERNEL_TREE_TREE_H

#include "base/base.h"

/* The comparison is x MODE threshold and picks if_true; MEMBER asks whether x is in the set. */
typedef enum hy__tree_mode {
  HY__TREE_LEAF,
  HY__TREE_LEQ,
  HY__TREE_LT,
  HY__TREE_GTE,
  HY__TREE_GT,
  HY__TREE_EQ,
  HY__TREE_NEQ,
  HY__TREE_MEMBER,      /* x equals a value of the set */
  HY__TREE_MEMBER_CUT,  /* the integer part of x does (LightGBM's categories) */
  HY__TREE_MEMBER_WHOLE /* the integer part of x >= 0 does (XGBoost's categories) */
} hy__tree_mode;

/* A forest as a model describes it: nodes by index, each in one tree. */
typedef struct hy__tree_source {
  size_t n_nodes, n_trees, n_features, n_targets, n_weights;
  const uint8_t *mode; /* hy__tree_mode */
  const uint32_t *feature;
  const double *threshold; /* exact for float inputs too: rounded to the float that decides alike */
  const uint32_t *if_true, *if_false;
  const uint8_t *missing_true;  /* NaN takes if_true */
  const uint8_t *zero_missing;  /* |x| <= 1e-35f is as NaN; NULL: nowhere */
  const uint32_t *roots;        /* [n_trees] */
  const uint32_t *weight_begin; /* [n_nodes + 1]: the leaf's weights */
  const uint32_t *target;       /* [n_weights] */
  const double *weight;
  const uint32_t *set; /* by node: its set; NULL where no node is MEMBER */
  size_t n_sets;
  const uint32_t *set_begin; /* [n_sets + 1] */
  const double *set_value;
  bool f64; /* inputs are float64 */
} hy__tree_source;

/* --- the packed forest: one block of memory that begins with hy__forest. Immutable --- */

/* A slot's value minus 128 is compared with a node's: greater goes right. */
enum { HY__TREE_RANKS = 255, HY__TREE_BIAS = 128, HY__TREE_LEAVES = 256, HY__TREE_ROW_BYTES = 256 };

/* A number's thresholds: blocks of up to 256 keys in ascending order, each of 16 pivots (the last
 * key of 16 keys each) and the keys, padded with the greatest. */
typedef struct hy__tree_axis {
  uint32_t feature, n_keys;
  uint32_t first_slot, n_slots;
  size_t keys_at; /* in elements */
  bool zero_missing;
} hy__tree_axis;
enum { HY__TREE_PIVOTS = 16, HY__TREE_BLOCK = 256 };

/* A slot of an axis counts the keys that are passed after the first `base`. */
typedef struct hy__tree_slot {
  uint32_t base;
  uint8_t missing; /* its value for NaN: 0 or 255 */
} hy__tree_slot;

/* A feature's sets: slots that are 0 where the value is a member. */
typedef struct hy__tree_sets {
  uint32_t feature, first_slot, n_slots, n_values;
  size_t values_at, lists_at; /* of the values; their lists' bounds are n_values + 1 numbers */
  size_t missing_at;          /* n_slots bytes: the values for NaN */
  hy__tree_mode mode;         /* MEMBER, MEMBER_CUT or MEMBER_WHOLE */
} hy__tree_sets;

/* Nodes of trees of up to 128 leaves, children adjacent: the next is left + (value > key). A leaf
 * stays: its key is greater than all; its slot is its number. */
typedef struct hy__tree_node {
  uint16_t slot;
  int8_t key;
  uint8_t left;
} hy__tree_node;

/* The same for larger trees; a leaf's number stands in `leaf_of`. */
typedef struct hy__tree_node_wide {
  uint32_t left;
  uint32_t slot_key; /* slot << 8 | key as a byte */
} hy__tree_node_wide;

/* For forests so small that ranking a row's numbers costs more than walking: keys of numbers, no
 * slots. A leaf stays; its number stands in `leaf_of_direct`. */
typedef struct hy__tree_node_direct {
  int64_t key;
  uint32_t feature; /* << 1 | missing values go left */
  uint32_t left;
} hy__tree_node_direct;

/* The inner nodes of a tree of up to 256 leaves in order of their place between the leaves: node i
 * (from 1) stands between leaves i - 1 and i. Of a row whose leaf so far is at least `first` (the
 * first leaf of the node's left subtree), and whose value is greater, the leaf becomes i. After the
 * last node it is the row's leaf: so a tree is one pass without branches over any number of rows.
 */
typedef struct hy__tree_cut {
  uint16_t slot;
  int8_t key;
  int8_t first; /* minus 128 */
} hy__tree_cut;

typedef struct hy__tree_shape {
  uint32_t direct;       /* first node in `direct` */
  uint32_t nodes, depth; /* first node in `narrow` or `wide`; steps to the deepest leaf */
  uint32_t cuts;         /* first of n_leaves - 1 in `cuts`, where is_cut */
  uint32_t leaves, n_leaves;
  uint32_t target; /* of all leaves, where the forest is single */
  bool is_wide, is_cut;
} hy__tree_shape;

/* Trees side by side, for few rows: the cuts of 64 trees make a stripe, a tree in each lane, step
 * by step: 64 slots, 64 keys, 64 firsts. Trees stand in order of falling size, and up to four
 * stripes make a band of as many steps as its first tree has cuts; a step holds the stripes one
 * after the other. Only where all trees are cut and slots are few. */
enum { HY__TREE_LANES = 64, HY__TREE_STEP = 3 * HY__TREE_LANES, HY__TREE_BAND = 4 };
enum { HY__TREE_BAND_SLOTS = 256 };
typedef struct hy__tree_band {
  uint32_t n_steps, n_stripes;
  uint32_t at; /* in stripes' steps */
} hy__tree_band;
typedef struct hy__tree_lane {
  uint32_t place;  /* stripe * 64 + lane */
  uint32_t leaves; /* the tree's first leaf */
} hy__tree_lane;

typedef struct hy__forest {
  size_t n_trees, n_features, n_targets, n_leaves;
  size_t n_axes, n_sets, n_slots;
  bool f64;
  bool single; /* every leaf has one weight, and a tree's leaves one target */
  bool has_wide, has_cut;
  bool all_positive; /* no weight is negative */
  const hy__tree_axis *axes;
  const hy__tree_slot *slots; /* of the axes */
  const void *keys;           /* int32_t, or int64_t where f64 */
  const hy__tree_sets *sets;
  const double *set_values;
  const uint32_t *set_lists; /* bounds, then slots */
  const uint8_t *set_missing;
  const hy__tree_shape *trees;
  const hy__tree_node *narrow;
  const hy__tree_node_wide *wide;
  const uint32_t *leaf_of;            /* by wide node */
  const hy__tree_node_direct *direct; /* NULL, or of all trees one after the other */
  const uint32_t *leaf_of_direct;
  const hy__tree_cut *cuts;
  size_t n_bands, n_lanes; /* 0: none; lanes in all stripes */
  const hy__tree_band *bands;
  const uint8_t *steps;
  const hy__tree_lane *lanes; /* by tree */
  const float *value32;       /* by leaf, where single: exact, or NULL */
  const double *value64;
  /* where not single: */
  const uint32_t *leaf_begin;  /* [n_leaves + 1] */
  const uint32_t *leaf_target; /* of each weight */
  const double *leaf_weight;
} hy__forest;

/* What packing found out about a source before it writes: how much of everything. */
typedef struct hy__forest_size {
  size_t bytes; /* of the block */
  size_t n_axes, n_sets, n_slots, n_axis_slots, n_keys, n_set_values, n_set_lists, n_set_slots;
  size_t n_leaves, n_narrow, n_wide, n_cuts, n_bands, n_steps, n_direct;
  bool single, exact32, all_positive;
} hy__forest_size;

/* Work memory for a source; false on overflow or past 2^28 nodes. */
bool hy__forest_work_bytes(const hy__tree_source *source, size_t *out);
/* Checks the trees and fills `work`. BAD_FORMAT: nodes out of range, reached twice, in a cycle or
 * in no tree; LIMIT. */
HY_CHECKED hy_status hy__forest_measure(const hy__tree_source *source, void *work,
                                        hy__forest_size *size, hy_error *err);
/* Packs into `block` (zeroed, 64-byte aligned, size->bytes), from what measure left in `work`. */
void hy__forest_pack(const hy__tree_source *source, const void *work, const hy__forest_size *size,
                     void *block);

typedef enum hy__tree_aggregate {
  HY__TREE_SUM,     /* in double */
  HY__TREE_SUM_F32, /* each addition rounded to float */
  HY__TREE_MIN,
  HY__TREE_MAX
} hy__tree_aggregate;

typedef struct hy__tree_call {
  const hy__forest *forest;
  const void *x; /* [rows][n_features] float, or double where the forest is f64 */
  size_t x_ld;   /* elements between rows */
  size_t rows;
  void *scratch;       /* hy__tree_scratch_bytes, 64-byte aligned */
  const double *start; /* [n_targets] sums begin here; NULL: at zero */
  double *scores;      /* [rows][n_targets], overwritten: trees in order, in double */
  uint8_t *hits;       /* [rows][n_targets] or NULL: whether any leaf names the target */
  hy__tree_aggregate aggregate;
} hy__tree_call;

enum { HY__TREE_ROWS = 256 }; /* rows of a block at most, whose slots stay in cache */
size_t hy__tree_scratch_bytes(const hy__forest *forest);

typedef struct hy__tree {
  void (*run)(const hy__tree_call *call);
} hy__tree;

#endif
