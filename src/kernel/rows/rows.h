/* SPDX-License-Identifier: Apache-2.0
 * Kernels over rows of contiguous elements: softmax and layer normalisation. */
#ifndef HY_KERNEL_ROWS_ROWS_H
#define HY_KERNEL_ROWS_ROWS_H

#include "base/base.h"

/* y = (x - mean) / sqrt(variance + epsilon) * scale + bias, in two passes; with rms the mean is
 * taken as zero. scale, bias, mean_out and inv_std_out may be NULL. */
typedef struct hy__layer_norm_call {
  const float *x, *scale, *bias;
  float *y, *mean_out, *inv_std_out;
  size_t rows, n;
  float epsilon;
  bool rms;
} hy__layer_norm_call;

typedef struct hy__rows_f32 {
  void (*softmax)(const float *x, float *y, size_t rows, size_t n); /* y may be x */
  void (*log_softmax)(const float *x, float *y, size_t rows, size_t n);
  void (*layer_norm)(const hy__layer_norm_call *call);
} hy__rows_f32;

#endif
