/* SPDX-License-Identifier: Apache-2.0
 * Scales and zero points over a tensor: one for all, one per index of an axis, or one per block of
 * an axis. */
#ifndef HY_OP_QUANTIZE_H
#define HY_OP_QUANTIZE_H

#include "op/narrow.h"

typedef struct hy__quant {
  size_t outer, dim, inner; /* the tensor around the axis */
  size_t block;             /* 0: one for all (n 1) or per index of the axis */
  size_t blocks, n;         /* blocks along the axis; scales in all */
  const float *scale;       /* where they are known at planning, else worked out in scratch */
  const int32_t *zero;
} hy__quant;

/* Reads axis and block_size, and checks inputs 1 (scale) and 2 (zero point) against input 0. */
HY_CHECKED hy_status hy__quant_shape(const hy__op_plan *p, hy__quant *q, hy_error *err);
/* Keeps the scales and zero points if they are known, else asks for scratch. */
HY_CHECKED hy_status hy__quant_lower(hy__op_plan *p, hy__quant *q, hy_error *err);
/* Those of a run. */
void hy__quant_read(const hy__step *step, const hy__quant *q, const float **scale,
                    const int32_t **zero);

/* The elements in runs that lie one after the other: [begin, begin + n) with scale `first`, and
 * the next one for each element if `step` is 1. */
typedef struct hy__quant_run {
  size_t begin, n, first, step;
} hy__quant_run;
size_t hy__quant_n_runs(const hy__quant *q);
hy__quant_run hy__quant_run_at(const hy__quant *q, size_t index);

/* The ends of an integer kind. */
void hy__quant_range(hy_dtype dtype, int32_t *least, int32_t *most);

#endif
