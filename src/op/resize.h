/* SPDX-License-Identifier: Apache-2.0
 * Resize as it is planned: for each axis that changes, which input elements make an output element
 * and with which weights. resize.c reads the operator, resize_taps.c works the weights out. */
#ifndef HY_OP_RESIZE_H
#define HY_OP_RESIZE_H

#include "op/rule.h"

typedef enum hy__resize_mode {
  HY__RESIZE_NEAREST,
  HY__RESIZE_LINEAR,
  HY__RESIZE_CUBIC
} hy__resize_mode;

/* How an output place is turned into an input coordinate. */
typedef enum hy__resize_map {
  HY__RESIZE_HALF_PIXEL,
  HY__RESIZE_HALF_PIXEL_SYMMETRIC,
  HY__RESIZE_PYTORCH_HALF_PIXEL,
  HY__RESIZE_ALIGN_CORNERS,
  HY__RESIZE_ASYMMETRIC,
  HY__RESIZE_TF_CROP
} hy__resize_map;

typedef enum hy__resize_round {
  HY__RESIZE_PREFER_FLOOR,
  HY__RESIZE_PREFER_CEIL,
  HY__RESIZE_FLOOR,
  HY__RESIZE_CEIL
} hy__resize_round;

typedef struct hy__resize_how {
  hy__resize_mode mode;
  hy__resize_map map;
  hy__resize_round round;
  bool antialias, exclude_outside;
  double cubic_a;
} hy__resize_how;

typedef struct hy__resize_axis {
  int64_t n_in, n_out;
  double scale, roi[2];
  size_t n_taps;
  const int64_t *places; /* [n_out][n_taps], all within the input */
  const double *weights; /* likewise */
  const bool *outside;   /* [n_out]: takes the extrapolation value; NULL: none */
} hy__resize_axis;

/* Fills the taps, from sizes, scale and roi; memory of the arena. */
HY_CHECKED hy_status hy__resize_taps(hy__arena *arena, const hy__resize_how *how,
                                     hy__resize_axis *axis, hy_error *err);

#endif
