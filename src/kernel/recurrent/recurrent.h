/* SPDX-License-Identifier: Apache-2.0
 * Steps of LSTM, GRU and RNN layers over a batch, with ONNX's default activations. Hidden units
 * stand in blocks of `lanes`; the gates of a block stand together, so that a vector of each gate
 * meets in registers and the cell update needs no further pass. Every second step walks the blocks
 * backwards, so that it begins with the weights that the step before left in the first-level
 * cache; an element's sum does not know of it. */
#ifndef HY_KERNEL_RECURRENT_RECURRENT_H
#define HY_KERNEL_RECURRENT_RECURRENT_H

#include "base/base.h"

enum { HY__RECURRENT_GATES_MAX = 4 };

typedef struct hy__recurrent_call {
  size_t steps;
  const float *pre;   /* x * W + b: [rows][blocks * gates * lanes], rows at a distance of pre_ld */
  ptrdiff_t pre_step; /* from a step's rows to the next step's */
  size_t pre_ld;
  const void *r;     /* [blocks][hidden][gates * lanes] floats, or pairs: see `pairs` */
  const void *r2;    /* gru_before: the candidate's [blocks][hidden][lanes] */
  bool pairs;        /* r and r2 are [blocks][hidden / 2 up][gates * lanes] pairs of bfloat16, of
                        unit k in the lower half and k + 1 in the upper; rows must be 1 */
  const float *bias; /* gru_after: of the candidate's recurrent product, [padded] */
  float *h[2];       /* [rows][padded]: the state in h[0], at last in h[steps & 1] */
  const float *c;    /* lstm: [rows][padded] before the first step */
  float *c_out;      /* lstm: after the last; may be c */
  float *y;          /* NULL, or where each step's new states go: rows of `hidden` at y_ld */
  ptrdiff_t y_step;
  size_t y_ld;
  float *scratch;              /* gru_before: [2][rows][padded] */
  size_t rows, hidden, padded; /* padded: hidden rounded up to lanes */
} hy__recurrent_call;

typedef void (*hy__recurrent_fn)(const hy__recurrent_call *call);

/* Gate orders: lstm i, f, g (the candidate), o; gru_after z, r, n in r; gru_before z, r in r and n
 * in r2, while pre holds z, r, n in both; rnn has one, with tanh. */
typedef struct hy__recurrent {
  uint32_t lanes;
  uint32_t rows[HY__RECURRENT_GATES_MAX + 1]; /* of a tile, by the gates of a product */
  const char *tile;
  hy__recurrent_fn lstm, gru_after, gru_before, rnn;
} hy__recurrent;

/* The recurrent matrix's packed form: gate g of unit u at time-step input k is source[g][u *
 * hidden + k] (ONNX's rows of R). out: blocks * hidden * gates * lanes floats. */
/* The same for one row, in pairs of bfloat16: see hy__recurrent_call. */
void hy__recurrent_pack_pairs(uint32_t lanes, size_t hidden, const hy__loose_f32 *const *source,
                              size_t gates, uint32_t *out);
void hy__recurrent_pack(uint32_t lanes, size_t hidden, const hy__loose_f32 *const *source,
                        size_t gates, float *out);

#endif
