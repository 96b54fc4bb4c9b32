/* SPDX-License-Identifier: Apache-2.0
 * Steps over independent items (rows, heads, images), divided among a session's workers. */
#ifndef HY_OP_DIVIDE_H
#define HY_OP_DIVIDE_H

#include "op/op.h"

/* Items [begin, end) as worker `worker`, below hy__op_workers of the plan. */
typedef void (*hy__op_items)(const hy__step *step, uint32_t worker, size_t begin, size_t end);

/* Runs all items: at once, or on the pool where `work` (multiply-adds or the like, of all)
 * outweighs the wake of a worker. */
HY_CHECKED hy_status hy__op_divide(const hy__step *step, size_t n_items, size_t work,
                                   hy__op_items fn, hy_error *err);
/* How many there may be, for scratch of each. */
size_t hy__op_workers(const hy__op_plan *p);

#endif
