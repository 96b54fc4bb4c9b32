/* SPDX-License-Identifier: Apache-2.0
 * Windows over channels-last data [batch, ..., channels]: what ConvLast and PoolLast share. */
#ifndef HY_OP_LAST_H
#define HY_OP_LAST_H

#include "op/window.h"

/* An item of the batch as the kernels read it: the plane itself, or a copy with its padding. */
typedef struct hy__last {
  hy__window window;
  size_t channels;
  bool padded;                   /* through a copy */
  int64_t size[HY__WINDOW_DIMS]; /* of the plane that is read */
  size_t n_read;                 /* its places */
} hy__last;

/* Reads the window of a node whose X is channels-last; kernel as in hy__window_read. */
HY_CHECKED hy_status hy__last_window(const hy__op_plan *p, const int64_t *kernel, hy__window *out,
                                     hy_error *err);
/* `copy`: padding is read from a padded copy; else the caller keeps the windows inside. */
void hy__last_init(hy__last *l, const hy__window *window, size_t channels, bool copy);
/* The copy of one item, its padding `fill`: l->n_read * channels floats. */
void hy__last_copy(const hy__last *l, const float *x, float fill, float *to);
/* Elements from a place to the next one along dim d of what is read. */
int64_t hy__last_stride(const hy__last *l, int32_t d);
/* Offsets of the window's elements from its first, in order. */
void hy__last_taps(const hy__last *l, ptrdiff_t *taps);

#endif
