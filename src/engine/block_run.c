/* SPDX-License-Identifier: Apache-2.0 */
/* A batch run block by block: each worker takes blocks into a lane of its own, and no two blocks of
 * different workers write the same rows. */
#include "engine/plan.h"

typedef struct place {
  const hy__plan *plan;
  const hy__lane *lane;
  uint8_t *memory; /* of the lane */
  size_t first;    /* row */
} place;

/* The rows of input or output k to or from the lane's copy. */
static void copy_rows(const place *p, size_t k, bool in) {
  const hy__blocks *b = p->plan->blocks;
  const hy__block_port *port = &b->ports[k];
  const size_t n = b->rows * port->row_bytes, pitch = b->n_rows * port->row_bytes;
  uint8_t *own = p->memory + port->at;
  uint8_t *whole = in ? b->inputs[k] : p->plan->outputs[k - p->plan->n_inputs].data;
  whole += p->first * port->row_bytes;
  for (size_t part = 0; part < port->n_parts; part++, own += n, whole += pitch)
    memcpy(in ? own : whole, in ? whole : own, n);
}

static void bind_rows(const place *p) {
  const hy__plan *plan = p->plan;
  const hy__blocks *b = plan->blocks;
  for (size_t i = 0; i < plan->n_callers; i++) {
    const size_t k = (size_t)p->lane->callers[i].caller;
    const hy__block_port *port = &b->ports[k];
    uint8_t *at = k < plan->n_inputs ? b->inputs[k] : plan->outputs[k - plan->n_inputs].data;
    *p->lane->callers[i].slot =
        port->n_parts > 1 ? p->memory + port->at : at + p->first * port->row_bytes;
  }
}

static hy_status run_block(const hy__plan *plan, uint32_t worker, size_t block, hy_error *err) {
  const hy__blocks *b = plan->blocks;
  const hy__lane *lane = &b->lanes[worker];
  const place p = {plan, lane, (uint8_t *)plan->base + b->lanes_at + worker * b->lane_bytes,
                   HY_MIN(block * b->rows, b->n_rows - b->rows)};
  const size_t n_in = plan->n_inputs, n_ports = n_in + plan->n_outputs;
  bind_rows(&p);
  for (size_t k = 0; k < n_in; k++)
    if (b->ports[k].n_parts > 1) copy_rows(&p, k, true);
  for (size_t i = 0; i < plan->n_steps; i++) {
    HY_TRY(lane->steps[i].run(&lane->steps[i], err));
    lane->steps[i].turned = !lane->steps[i].turned;
  }
  for (size_t k = n_in; k < n_ports; k++)
    if (b->ports[k].n_parts > 1) copy_rows(&p, k, false);
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
