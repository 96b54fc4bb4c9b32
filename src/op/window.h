/* SPDX-License-Identifier: Apache-2.0
 * Windows over the spatial dims of [batch, channels, ...]: what Conv and the pools share. */
#ifndef HY_OP_WINDOW_H
#define HY_OP_WINDOW_H

#include "op/rule.h"

enum { HY__WINDOW_DIMS = 3 };

typedef enum hy__window_pad {
  HY__WINDOW_GIVEN,
  HY__WINDOW_VALID,
  HY__WINDOW_SAME_UPPER,
  HY__WINDOW_SAME_LOWER
} hy__window_pad;

typedef struct hy__window {
  int32_t n; /* spatial dims */
  int64_t in[HY__WINDOW_DIMS], out[HY__WINDOW_DIMS], kernel[HY__WINDOW_DIMS];
  int64_t stride[HY__WINDOW_DIMS], dilation[HY__WINDOW_DIMS];
  int64_t before[HY__WINDOW_DIMS], after[HY__WINDOW_DIMS]; /* padding */
  size_t n_in, n_out, n_kernel;                            /* products */
  hy__window_pad pad;                                      /* auto_pad */
} hy__window;

/* From X's dims and the node's attributes; `kernel` (n values) overrides kernel_shape if not NULL.
 */
HY_CHECKED hy_status hy__window_read(const hy__op_plan *p, const int64_t *kernel, hy__window *out,
                                     hy_error *err);

/* Its two halves: kernel, strides, dilations and padding of n dims from the attributes, and the
 * sizes for an input of these dims. */
HY_CHECKED hy_status hy__window_attributes(const hy__op_plan *p, int32_t n, const int64_t *kernel,
                                           hy__window *out, hy_error *err);
HY_CHECKED hy_status hy__window_fit(hy__window *w, const int64_t *in, bool ceil_mode,
                                    hy_error *err);

/* Where window `at` (its output place) has kernel element `k` in the input: the offset in the
 * plane, or -1 in the padding; *inside_padded (may be NULL) tells that it lies in input or padding.
 */
int64_t hy__window_offset(const hy__window *w, const int64_t *at, const int64_t *k,
                          bool *inside_padded);

/* The next index of an odometer over dims; false past the last. */
static inline bool hy__window_next(int32_t n, const int64_t *dims, int64_t *index) {
  for (int32_t d = n - 1; d >= 0; --d) {
    if (++index[d] < dims[d]) return true;
    index[d] = 0;
  }
  return false;
}

#endif
