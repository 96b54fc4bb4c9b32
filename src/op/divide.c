/* SPDX-License-Identifier: Apache-2.0 */
/* Division of a step's items among workers: see divide.h. */
#include "op/divide.h"

enum { PIECES_EACH = 4 };

typedef struct job {
  const hy__step *step;
  hy__op_items fn;
} job;

static hy_status run_items(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const job *j = ctx;
  (void)err;
  j->fn(j->step, worker, begin, end);
  return HY_OK;
}

hy_status hy__op_divide(const hy__step *step, size_t n_items, size_t work, hy__op_items fn,
                        hy_error *err) {
  if (n_items < 2 || !hy__pool_worth(step->pool, work)) {
    fn(step, 0, 0, n_items);
    return HY_OK;
  }
  job j = {step, fn};
  const size_t n_workers = hy__pool_n_workers(step->pool);
  const size_t grain = HY_MAX(n_items / (n_workers * PIECES_EACH), (size_t)1);
  return hy__pool_for(step->pool, n_items, grain, run_items, &j, err);
}

size_t hy__op_workers(const hy__op_plan *p) { return p->pool ? hy__pool_n_workers(p->pool) : 1; }
