/* SPDX-License-Identifier: Apache-2.0
 * Between measuring and packing a forest: what is known of each node. Inside this folder. */
#ifndef HY_KERNEL_TREE_FOREST_H
#define HY_KERNEL_TREE_FOREST_H

#include "kernel/tree/tree.h"

/* A number or a set that a feature is compared with; the low bits of a node's axis. */
typedef enum hy__axis_kind {
  HY__AXIS_NUMBER,
  HY__AXIS_NUMBER_ZERO, /* zero counts as missing */
  HY__AXIS_EQUAL,       /* sets of one value each */
  HY__AXIS_MEMBER,
  HY__AXIS_MEMBER_CUT,
  HY__AXIS_MEMBER_WHOLE,
  HY__AXIS_BITS = 3
} hy__axis_kind;

typedef struct hy__set_pair {
  double value;
  uint32_t slot;
} hy__set_pair;

/* An inner node among those of its axis. */
typedef struct hy__axis_key {
  int64_t key;   /* of the threshold; the set's number for members */
  uint32_t axis; /* feature and hy__axis_kind */
  uint32_t node;
} hy__axis_key;

/* Arrays by source node, unless said otherwise. An inner node goes left where key of x <= key. */
typedef struct hy__forest_work {
  hy__axis_key *sorted, *other; /* inner nodes by axis, then key; room to sort them */
  uint32_t *left, *right;       /* nodes */
  uint32_t *slot;               /* after the scan */
  uint32_t *first, *level;      /* leaves to the left of it in its tree; steps from the root */
  uint32_t *order, *spare;      /* nodes in preorder, tree after tree; a stack or queue */
  uint32_t *begin, *depth;      /* by tree: where in `order` (and one more); steps to its leaves */
  uint8_t *rank;                /* after the scan: the key within the slot */
  uint8_t *missing_left, *seen;
  hy__set_pair *pairs; /* one axis's values */
  size_t n_inner;
} hy__forest_work;

bool hy__forest_work_lay_out(const hy__tree_source *s, void *block, hy__forest_work *out,
                             size_t *bytes);

/* Where the scan over sorted nodes writes what it finds; NULL: it counts. */
typedef struct hy__axis_out {
  hy__tree_axis *axes;
  hy__tree_slot *slots;
  void *keys;
  hy__tree_sets *sets;
  double *values;
  uint32_t *lists;
  uint8_t *missing;
} hy__axis_out;
void hy__forest_sort(hy__forest_work *w);
/* Gives each node its slot and rank, and counts axes, slots, keys and sets into size. */
void hy__forest_scan(const hy__tree_source *s, hy__forest_work *w, const hy__axis_out *out,
                     hy__forest_size *size);
/* Elements that n keys of an axis take. */
size_t hy__axis_room(size_t n_keys);

#endif
