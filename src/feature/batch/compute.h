/* SPDX-License-Identifier: Apache-2.0
 * A range into matrices, for compute.c's callers within the room. */
#ifndef HY_FEATURE_COMPUTE_H
#define HY_FEATURE_COMPUTE_H

#include "feature/feature.h"

typedef struct hy__compute_out {
  double *const *columns; /* [feature] -> [row, symbol] */
  size_t symbol_stride;   /* not 0: [symbol, row], so many doubles from symbol to symbol */
  /* In place of columns: what is done with each block as soon as it stands, by any worker. tiles:
   * [target] -> [row][lane] from the last stage's t_begin on; room: a byte for each row. */
  hy_status (*take)(void *ctx, size_t block, double *const *tiles, uint8_t *room, hy_error *err);
  void *take_ctx;
  hy_progress_fn progress;
  void *progress_ctx;
} hy__compute_out;

/* All stages of a run. */
HY_CHECKED hy_status hy__compute_run(hy__feature_run *run, const hy__compute_out *out,
                                     hy_error *err);
HY_CHECKED hy_status hy__compute_range(const hy_features *f, const hy_universe *universe,
                                       hy__feature_range range, const hy__compute_out *out,
                                       hy_error *err);

#endif
