/* SPDX-License-Identifier: Apache-2.0
 * One step of LSTM, GRU and RNN layers over a batch, with ONNX's default activations. Hidden units
 * stand in blocks of `lanes`; the gates of a block stand together, so that a vector of each gate
 * meets in registers and the cell update needs no further pass. */
#ifndef HY_KERNEL_RECURRENT_RECURRENT_H
#define HY_KERNEL_RECURRENT_RECURRENT_H

#include "base/base.h"

typedef struct hy__recurrent_call {
  const float *pre; /* x * W + b: [rows][blocks * gates * lanes], rows at a distance of pre_ld */
  size_t pre_ld;
  const float *r;              /* [blocks][hidden][gates * lanes] */
  const float *r2;             /* gru_before: the candidate's [blocks][hidden][lanes] */
  const float *bias;           /* gru_after: of the candidate's recurrent product, [padded] */
  const float *h;              /* [rows][padded] */
  const float *c;              /* lstm: [rows][padded] */
  float *h_out;                /* [rows][padded], not h */
  float *c_out;                /* lstm: [rows][padded], may be c */
  float *scratch;              /* gru_before: [2][rows][padded] */
  size_t rows, hidden, padded; /* padded: hidden rounded up to lanes */
} hy__recurrent_call;

typedef void (*hy__recurrent_fn)(const hy__recurrent_call *call);

/* Gate orders: lstm i, f, g (the candidate), o; gru_after z, r, n in r; gru_before z, r in r and n
 * in r2, while pre holds z, r, n in both; rnn has one, with tanh. */
typedef struct hy__recurrent {
  uint32_t lanes;
  const char *tile;
  hy__recurrent_fn lstm, gru_after, gru_before, rnn;
} hy__recurrent;

enum { HY__RECURRENT_GATES_MAX = 4 };

/* The recurrent matrix's packed form: gate g of unit u at time-step input k is source[g][u *
 * hidden + k] (ONNX's rows of R). out: blocks * hidden * gates * lanes floats. */
void hy__recurrent_pack(uint32_t lanes, size_t hidden, const float *const *source, size_t gates,
                        float *out);

#endif
