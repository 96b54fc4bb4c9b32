/* SPDX-License-Identifier: Apache-2.0
 * A Loop or a Scan whose body is made of recurrent cells: between recover_recurrent.c, which finds
 * them, and recover_write.c, which writes the layers in its place. */
#ifndef HY_PASS_RECOVER_H
#define HY_PASS_RECOVER_H

#include "pass/form.h"

enum { HY__RECOVER_CELLS = 8 };

/* What a round reads of a value of the graph around: one place of an axis, first, first + step ..
 */
typedef struct hy__rounds {
  int32_t source; /* in the graph around */
  int32_t axis;
  int64_t first, step; /* step: 1 or -1 */
} hy__rounds;

typedef struct hy__recovered {
  hy__cell cell;
  int32_t one; /* in the body: a recurrent node of one step, else -1 */
  size_t h_state, c_state;
  int32_t h_first, c_first; /* the states before the first round, in the graph around */
  int32_t below;            /* the cell whose h it reads, else -1: then `rounds` says what */
  hy__rounds rounds;
  bool y_wanted, h_wanted, c_wanted;
  int32_t y; /* written: [rounds, rows, hidden] */
} hy__recovered;

typedef struct hy__recovery {
  hy__work *w;
  int32_t node; /* the Loop or Scan of w */
  const hy__graph *graph;
  bool scan;
  size_t first_in, first_out;   /* of the states, among the body's inputs and outputs */
  size_t n_state, n_seq, n_out; /* n_seq: scanned inputs; n_out: stacked outputs */
  int64_t n_rounds;
  hy__work b; /* the body, as a graph of its own */
  hy__forms forms;
  hy__recovered cells[HY__RECOVER_CELLS];
  size_t n_cells;
  int32_t *stacked; /* per stacked output: its cell, -1 where it is not wanted */
} hy__recovery;

/* Adds one layer: its outputs Y, Y_h and Y_c as far as they are wanted. *done false: it could not
 * be made. */
enum { HY__RECOVER_Y, HY__RECOVER_H, HY__RECOVER_C, HY__RECOVER_OUTPUTS };
HY_CHECKED hy_status hy__recover_layer(hy__recovery *r, hy__recovered *c, int32_t *outputs,
                                       bool *done, hy_error *err);
/* Value id with these dims, a new node where they differ. */
HY_CHECKED hy_status hy__recover_shape(hy__recovery *r, int32_t id, int32_t rank,
                                       const int64_t *dims, int32_t *out, hy_error *err);
/* recover_chain.c: the same cell step after step, a loop that was unrolled. *done: one was found;
 * the graph is to be sorted then. */
HY_CHECKED hy_status hy__recover_chain(hy__work *w, bool *done, hy_error *err);
/* Adds the layers to the graph around, and puts their outputs for those of the node. *done false:
 * an operator refused, and nothing has changed. */
HY_CHECKED hy_status hy__recover_write(hy__recovery *r, bool *done, hy_error *err);

#endif
