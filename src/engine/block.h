/* SPDX-License-Identifier: Apache-2.0
 * Batches in blocks of rows: between block_rule.c, which proves that a graph's rows do not know of
 * each other, block_scale.c, which writes the graph for fewer of them, block.c, which decides, and
 * block_run.c. See docs/decisions/0008. */
#ifndef HY_ENGINE_BLOCK_H
#define HY_ENGINE_BLOCK_H

#include "engine/plan.h"

/* Where a value carries the batch: dims[axis] is `each` places for every row, row after row. */
enum { HY__ROWS_NONE = -1, HY__ROWS_WHOLE = -2 };
typedef struct hy__rows {
  int32_t axis; /* negative: the value is the same for every row; WHOLE: a node reads it so */
  int64_t each;
} hy__rows;

typedef struct hy__tracks {
  hy__work *w;
  int64_t n_rows;
  hy__rows *of; /* per value of w */
} hy__tracks;

/* Sets the tracks of the node's outputs from those of its inputs. False: nothing is known about
 * how its rows depend on each other. */
bool hy__block_rule(hy__tracks *t, const hy__work_node *node);
/* The elements of one row that lie together. */
int64_t hy__block_stride(const hy__tracks *t, int32_t value);

/* Writes the graph for `rows` rows: dims, and the attributes and known shapes that name them.
 * UNSUPPORTED where a node cannot be; w is spoilt then. */
HY_CHECKED hy_status hy__block_scale(hy__work *w, const hy__tracks *t, int64_t rows, hy_error *err);
/* AttentionView: whether its views keep to their rows, and the track of its output; and its
 * attributes for `rows` rows. */
bool hy__block_attention(hy__tracks *t, const hy__node *node);
HY_CHECKED hy_status hy__block_scale_attention(hy__work *w, const hy__tracks *t, hy__node *node,
                                               int64_t rows, hy_error *err);

#endif
