/* SPDX-License-Identifier: Apache-2.0
 * LSTM, GRU and RNN as the plan holds them: packed weights, and how a run walks time. */
#ifndef HY_OP_RECURRENT_H
#define HY_OP_RECURRENT_H

#include "op/rule.h"

typedef enum hy__cell_kind { HY__CELL_LSTM, HY__CELL_GRU, HY__CELL_RNN } hy__cell_kind;

typedef enum hy__cell_act {
  HY__CELL_SIGMOID,
  HY__CELL_TANH,
  HY__CELL_RELU,
  HY__CELL_AFFINE,
  HY__CELL_LEAKY_RELU,
  HY__CELL_THRESHOLDED_RELU,
  HY__CELL_SCALED_TANH,
  HY__CELL_HARD_SIGMOID,
  HY__CELL_ELU,
  HY__CELL_SOFTSIGN,
  HY__CELL_SOFTPLUS
} hy__cell_act;

typedef struct hy__cell_fn {
  hy__cell_act act;
  double alpha, beta;
} hy__cell_fn;

/* Rows in groups of a few tiles of the kernel, as many as the workers take evenly. */
typedef struct hy__row_groups {
  size_t batch, unit, n_units, n; /* rows, of a tile, tiles, groups */
} hy__row_groups;

/* units_each: tiles that a worker must have at least for the rows to be divided. Returns the rows
 * of the largest group. */
size_t hy__row_groups_make(hy__row_groups *g, size_t batch, size_t unit, size_t n_workers,
                           size_t units_each);
void hy__row_groups_at(const hy__row_groups *g, size_t index, size_t *first, size_t *rows);

/* One direction. Gates are in the kernels' order (LSTM i, f, g, o; GRU z, r, n). */
typedef struct hy__recurrent_side {
  bool reverse;
  const void *w;       /* packed for gemm: [features] x [columns] */
  const float *bias;   /* [columns], NULL: zeros */
  const void *r, *r2;  /* for the step kernel; in the general path packed for gemm */
  const float *r_bias; /* GRU: of the candidate's recurrent product, [padded] */
  const float *peep;   /* LSTM: i, o, f of [hidden] each, NULL: none */
  hy__cell_fn fn[3];
} hy__recurrent_side;

typedef struct hy__recurrent_plan {
  hy__cell_kind kind;
  bool layout1, after, general; /* after: linear_before_reset */
  bool divides;                 /* groups and directions among the session's workers */
  bool halves, pairs;           /* matrices rounded to bfloat16; R in pairs of them, for one row */
  bool input_forget;
  double clip; /* 0: none */
  size_t steps, batch, features, hidden, directions, gates;
  size_t lanes, padded, columns; /* columns = padded * gates */
  hy__row_groups groups;
  size_t group, block; /* rows of the largest group, and steps that go together */
  hy__recurrent_side side[2];
  /* in scratch, as floats */
  size_t h_at, c_at, pre_at, work_at, x_at;
  size_t group_floats; /* groups at once have it side by side */
} hy__recurrent_plan;

/* What a step works on, in the general path too. */
typedef struct hy__cell_step {
  const hy__recurrent_plan *plan;
  const hy__recurrent_side *side;
  const hy__kernels *kernels;
  const float *pre, *h, *c;
  float *h_out, *c_out, *work;
  size_t rows;
} hy__cell_step;

/* Weights of one direction as ONNX has them: W [gates * hidden, features], R [gates * hidden,
 * hidden], B [2 * gates * hidden] or NULL. Packs them for a plan whose sizes are set. */
typedef struct hy__recurrent_weights {
  const hy__loose_f32 *w, *r;
  const float *b;
} hy__recurrent_weights;
HY_CHECKED hy_status hy__recurrent_pack_side(hy__op_plan *p, const hy__recurrent_plan *q,
                                             const hy__recurrent_weights *weights,
                                             hy__recurrent_side *side, hy_error *err);

/* Rows of vectors through time: row r at step s is x + r * row_ld + s * step_ld. */
typedef struct hy__recurrent_series {
  const float *x;
  size_t row_ld, step_ld, rows;
} hy__recurrent_series;

/* Inputs of n steps into pre [n][rows][columns], by as few products as the rows' places allow. */
void hy__recurrent_project(const hy__kernels *kernels, const hy__recurrent_plan *p,
                           const hy__recurrent_side *side, const hy__recurrent_series *in, size_t n,
                           float *pre);
void hy__cell_run(const hy__cell_step *step); /* the general path: any attributes, in doubles */
HY_CHECKED hy_status hy__recurrent_run(const hy__step *step, hy_error *err);
/* From measured sizes, functions and attributes: steps in doubles from the inputs as they are. */
void hy__recurrent_plain_lower(hy__op_plan *p, hy__recurrent_plan *q);
HY_CHECKED hy_status hy__recurrent_check_lens(const hy__recurrent_plan *p, const int32_t *lens,
                                              hy_error *err);
/* The function of x, bounded by clip if that is not 0. */
double hy__cell_apply(const hy__cell_fn *f, double x, double clip);
/* Activation functions of one direction from the node's lists; *custom tells that they are others
 * than the defaults. */
HY_CHECKED hy_status hy__cell_functions(const hy__node *node, hy__cell_kind kind, size_t direction,
                                        hy__cell_fn *out, hy_error *err);

#endif
