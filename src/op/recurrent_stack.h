/* SPDX-License-Identifier: Apache-2.0
 * Layers of LSTM, GRU or RNN upon each other as the plan holds them: in which groups of rows and in
 * which stages of layers a run takes them. */
#ifndef HY_OP_RECURRENT_STACK_H
#define HY_OP_RECURRENT_STACK_H

#include "op/recurrent.h"

enum { HY__STACK_LAYERS_MAX = 16 };

typedef struct hy__stack_layer {
  hy__recurrent_plan plan; /* sizes, packed weights of side[0] */
  size_t state_at;         /* in a group's scratch, as floats: h, h, c of [rows][padded] */
} hy__stack_layer;

/* Layers that one worker takes through time by itself. With several stages each runs behind the
 * one before, a chunk of steps after a chunk. */
typedef struct hy__stack_stage {
  size_t first, end;            /* layers */
  size_t y_at, pre_at, work_at; /* y: [steps][rows][y_ld], which the next stage reads */
} hy__stack_stage;

typedef struct hy__stack_plan {
  hy__stack_layer *layers;
  size_t n_layers, steps, batch, features, y_ld;
  bool layout_x, layout; /* 1: batch first */
  hy__row_groups groups;
  size_t group, n_stages, block; /* rows of the largest group */
  size_t group_floats;           /* of scratch; groups at once have it side by side */
  hy__stack_stage stages[HY__STACK_LAYERS_MAX];
} hy__stack_plan;

HY_CHECKED hy_status hy__stack_run(const hy__step *step, hy_error *err);

#endif
