/* SPDX-License-Identifier: Apache-2.0 */
/* A batch run block by block: each worker takes blocks into a lane of its own, and no two blocks of
 * different workers write the same rows. */
#include "engine/plan.h"

static void bind_rows(const hy__plan *plan, const hy__lane *lane, size_t first) {
  const hy__blocks *b = plan->blocks;
  for (size_t i = 0; i < plan->n_callers; i++) {
    const size_t k = (size_t)lane->callers[i].caller;
    uint8_t *at = k < plan->n_inputs ? b->inputs[k] : plan->outputs[k - plan->n_inputs].data;
    *lane->callers[i].slot = at + first * b->row_bytes[k];
  }
}

static hy_status run_block(const hy__plan *plan, uint32_t worker, size_t block, hy_error *err) {
  const hy__blocks *b = plan->blocks;
  const hy__lane *lane = &b->lanes[worker];
  bind_rows(plan, lane, HY_MIN(block * b->rows, b->n_rows - b->rows));
  for (size_t i = 0; i < plan->n_steps; i++) {
    HY_TRY(lane->steps[i].run(&lane->steps[i], err));
    lane->steps[i].turned = !lane->steps[i].turned;
  }
  return HY_OK;
}

/* Items are blocks; the last one and the one that it meets are the first item. */
static hy_status run_items(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const hy__plan *plan = ctx;
  const hy__blocks *b = plan->blocks;
  const bool meets = b->n_rows % b->rows != 0;
  if (meets && begin == 0) HY_TRY(run_block(plan, worker, b->n - 1, err));
  for (size_t item = begin; item < end; item++)
    HY_TRY(run_block(plan, worker, meets ? b->n - 2 - item : item, err));
  return HY_OK;
}

hy_status hy__blocks_run(const hy__plan *plan, hy_error *err) {
  const hy__blocks *b = plan->blocks;
  const size_t n_items = b->n_rows % b->rows ? b->n - 1 : b->n;
  void *ctx = (void *)(uintptr_t)plan;
  return b->pool ? hy__pool_for(b->pool, n_items, 1, run_items, ctx, err)
                 : run_items(ctx, 0, 0, n_items, err);
}
