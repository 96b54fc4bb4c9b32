/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a batch is run in blocks of rows, and in which: a plan is made for the whole batch first;
 * where its rows do not know of each other (block_rule.c) and its arena is larger than a core's
 * second-level cache, or a session's workers can take blocks, it is made again for one block. */
#include <math.h>

#include "engine/block.h"
#include "engine/limits.h"

typedef struct chosen {
  size_t rows, n_lanes;
} chosen;

/* --- which inputs carry rows --- */

static const hy__value *port_of(const hy__plan_request *r, size_t k) {
  return k < r->graph->n_inputs ? &r->graph->values[r->graph->inputs[k]] : NULL;
}

static bool open_at(const hy__value *v, int32_t axis) {
  return v && v->rank > axis && v->dims[axis] < 0;
}

static const hy_tensor *input_of(const hy__work *w, size_t k) {
  const int32_t id = w->inputs[k];
  return id < 0 || w->values[id].t.data ? NULL : &w->values[id].t;
}

/* What the rows are taken to be: a dim of this size, open or not, with this name or none. */
typedef struct guess {
  int64_t n_rows;
  int32_t axis;
  bool open;
  const char *name;
} guess;

/* The first input whose dim at this axis is open; of axis 0 any, if none is. */
static guess guess_at(const hy__work *w, const hy__plan_request *r, int32_t axis) {
  guess g = {.axis = axis};
  for (size_t k = 0; k < w->n_inputs && !g.open; k++) {
    const hy_tensor *t = input_of(w, k);
    const hy__value *v = port_of(r, k);
    if (!t || t->rank <= axis) continue;
    g.open = open_at(v, axis);
    if (g.open || (axis == 0 && !g.n_rows)) g.n_rows = t->dims[axis];
    if (g.open) g.name = v->dim_names[axis];
  }
  return g;
}

static bool is_rows(const guess *g, const hy__value *v, const hy_tensor *t, int32_t axis) {
  if (axis >= t->rank || t->dims[axis] != g->n_rows) return false;
  if (!g->open) return axis == g->axis;
  if (!open_at(v, axis)) return false;
  return g->name && v->dim_names[axis] ? strcmp(g->name, v->dim_names[axis]) == 0 : axis == g->axis;
}

static void inputs_track(hy__tracks *t, const hy__plan_request *r, const guess *g) {
  for (size_t k = 0; k < t->w->n_inputs; k++) {
    const hy_tensor *x = input_of(t->w, k);
    for (int32_t d = 0; x && d < x->rank; d++)
      if (is_rows(g, port_of(r, k), x, d)) {
        t->of[t->w->inputs[k]] = (hy__rows){d, 1};
        break;
      }
  }
}

/* --- the proof --- */

/* Every node keeps to its rows, and every output has its own. */
static bool by_rows(hy__tracks *t) {
  const hy__work *w = t->w;
  for (size_t i = 0; i < w->n_nodes; i++)
    if (!w->nodes[i].dead && !hy__block_rule(t, &w->nodes[i])) return false;
  for (size_t k = 0; k < w->n_outputs; k++)
    if (w->values[w->outputs[k]].t.data || t->of[w->outputs[k]].axis < 0) return false;
  return true;
}

/* The batch is an input's first axis, or the second behind time. */
static hy_status tracks_make(hy__work *w, const hy__plan_request *r, hy__tracks *t, bool *proven,
                             hy_error *err) {
  enum { AXES = 2 };
  void *memory;
  *t = (hy__tracks){.w = w};
  *proven = false;
  HY_TRY(hy__arena_array(w->arena, w->n_values + 1, sizeof(hy__rows), &memory, err));
  t->of = memory;
  for (int32_t axis = 0; axis < AXES && !*proven; axis++) {
    const guess g = guess_at(w, r, axis);
    if (g.n_rows < 2) continue;
    t->n_rows = g.n_rows;
    for (size_t v = 0; v < w->n_values; v++) t->of[v] = (hy__rows){HY__ROWS_NONE, 0};
    inputs_track(t, r, &g);
    *proven = by_rows(t);
  }
  return HY_OK;
}

/* --- how many rows --- */

/* What the whole batch asks for, from its plan. */
typedef struct demand {
  double macs, weights; /* multiply-adds; numbers that are multiplied with */
  double work;          /* in multiply-adds or the like */
  bool recurrent;
  bool staged; /* layers or branches that run side by side for few rows */
} demand;

static demand demand_of(const hy__plan *plan) {
  enum { TREE_LEVEL = 16, PLAIN = 8, BYTES = 2 }; /* in multiply-adds, measured */
  demand d = {0};
  for (size_t i = 0; i < plan->n_steps; i++) {
    hy__cost c;
    hy__cost_of(&plan->steps[i], &plan->infos[i], &c);
    const double macs = c.macs + c.repeats * c.repeat_macs;
    const bool tree = c.family && strcmp(c.family, "tree") == 0;
    d.recurrent = d.recurrent || c.repeats > 0;
    const bool stack = plan->infos[i].op && strcmp(plan->infos[i].op->name, "RecurrentStack") == 0;
    d.staged = d.staged || stack || plan->infos[i].beside;
    d.work += c.activation_bytes * BYTES + macs * (tree ? TREE_LEVEL : c.family ? 1 : PLAIN);
    if (tree || macs == 0) continue;
    d.macs += macs;
    d.weights += (c.weight_bytes + c.repeat_bytes) / (c.wide ? 8 : 4);
  }
  return d;
}

/* The fewest rows that pay for reading the weights again, and keep the tiles of a layer full. */
static size_t rows_least(const demand *d, size_t n_rows, size_t l2) {
  enum { USES = 128, ROWS_RECURRENT = 256 };
  const double share = d->macs > 0 ? d->weights / d->macs * (double)n_rows : 0;
  const size_t least = d->weights * 4 > (double)l2 / 4 ? (size_t)(USES * share) : 1;
  return HY_MAX(HY_MAX(least, (size_t)1), d->recurrent ? (size_t)ROWS_RECURRENT : 1);
}

/* Do workers gain by blocks of their own? Not where waking one costs as much, nor where a few rows
 * wait for the weights, which steps, layers or branches then divide. */
static bool shares(const demand *d, size_t n_rows, size_t n_workers) {
  enum { WORK_MIN = 1 << 18, USES_MIN = 4, STAGED_ROWS = 4 };
  const double rows = ceil((double)n_rows / (double)n_workers);
  if (d->staged && n_rows < STAGED_ROWS * n_workers) return false;
  return n_workers > 1 && d->work >= WORK_MIN &&
         d->macs * rows >= USES_MIN * d->weights * (double)n_rows;
}

/* Blocks whose arena takes half of a core's second-level cache, alike, and as many for each worker.
 * Where the last one meets the one before, both are one worker's, who must not have more for it. */
static chosen choose(const hy__plan *plan, const hy__plan_request *r, size_t n_rows) {
  const hy__cpu *cpu = hy__runtime_cpu(r->runtime);
  const demand d = demand_of(plan);
  const size_t l2 = cpu->l2_bytes ? cpu->l2_bytes : (size_t)1 << 20;
  size_t n_workers = r->pool ? HY_MIN(hy__pool_n_workers(r->pool), n_rows) : 1;
  size_t most = r->block_rows;
  if (!most) {
    const bool large = plan->arena_bytes > l2;
    if (!shares(&d, n_rows, n_workers)) {
      if (!large) return (chosen){n_rows, 1};
      n_workers = 1;
    }
    most = large ? l2 / 2 / (plan->arena_bytes / n_rows + 1) : n_rows;
    most = HY_MAX(most, rows_least(&d, n_rows, l2));
  }
  size_t each = (n_rows + n_workers * most - 1) / (n_workers * most);
  size_t rows = (n_rows + n_workers * each - 1) / (n_workers * each);
  if (n_workers > 1 && each == 1 && n_rows % rows)
    rows = (n_rows + 2 * n_workers - 1) / (2 * n_workers);
  /* the busiest one's rows: a few do not divide well */
  const size_t n = (n_rows + rows - 1) / rows, busiest = (n + n_workers - 1) / n_workers * rows;
  if (!r->block_rows && n_workers > 1 && busiest * n_workers * 4 > n_rows * 5)
    return (chosen){n_rows, 1};
  return (chosen){rows, n_workers > 1 ? hy__pool_n_workers(r->pool) : 1}; /* any may take one */
}

/* --- the plan of a block --- */

static hy_status blocks_make(hy__plan *plan, const hy__tracks *t, const hy__plan_request *r,
                             chosen c, hy_error *err) {
  void *memory, *lanes, *ports, *inputs;
  const hy__work *w = t->w;
  const size_t n_ports = plan->n_inputs + plan->n_outputs, n_rows = (size_t)t->n_rows;
  HY_TRY(hy__arena_alloc(plan->arena, sizeof(hy__blocks), HY_ALIGN, &memory, err));
  HY_TRY(hy__arena_array(plan->arena, c.n_lanes, sizeof(hy__lane), &lanes, err));
  HY_TRY(hy__arena_array(plan->arena, n_ports + 1, sizeof(hy__block_port), &ports, err));
  HY_TRY(hy__arena_array(plan->arena, plan->n_inputs + 1, sizeof(void *), &inputs, err));
  hy__blocks *b = memory;
  *b = (hy__blocks){.n_rows = n_rows,
                    .rows = c.rows,
                    .n = (n_rows + c.rows - 1) / c.rows,
                    .lanes = lanes,
                    .n_lanes = c.n_lanes,
                    .ports = ports,
                    .inputs = inputs,
                    .pool = c.n_lanes > 1 ? r->pool : NULL};
  for (size_t k = 0; k < n_ports; k++) {
    const bool is_input = k < plan->n_inputs;
    const int32_t id = is_input ? w->inputs[k] : w->outputs[k - plan->n_inputs];
    const hy_tensor *whole = is_input ? &plan->inputs[k] : &plan->outputs[k - plan->n_inputs];
    if (id < 0 || t->of[id].axis < 0) continue;
    b->ports[k].n_parts = 1;
    for (int32_t d = 0; d < t->of[id].axis; d++) b->ports[k].n_parts *= (size_t)whole->dims[d];
    b->ports[k].row_bytes = hy__work_bytes(whole) / n_rows / HY_MAX(b->ports[k].n_parts, (size_t)1);
  }
  plan->blocks = b;
  return HY_OK;
}

static bool put_behind(size_t *bytes, size_t more, size_t *at) {
  *at = *bytes;
  return hy__add(*bytes, more, bytes) && hy__add(*bytes, HY_ALIGN - 1, bytes) &&
         (*bytes &= ~(size_t)(HY_ALIGN - 1), true);
}

/* Whole outputs, then the lanes. */
static hy_status arena_place(hy__plan *plan, const hy_tensor *outputs, hy_error *err) {
  hy__blocks *b = plan->blocks;
  size_t bytes = 0, all;
  b->lane_bytes = plan->arena_bytes;
  bool fits = put_behind(&b->lane_bytes, 0, &all);
  for (size_t k = 0; k < plan->n_inputs + plan->n_outputs; k++) {
    hy__block_port *p = &b->ports[k]; /* a part of something that is there: no overflow */
    if (p->n_parts > 1)
      fits = fits && put_behind(&b->lane_bytes, p->n_parts * p->row_bytes * b->rows, &p->at);
  }
  for (size_t k = 0; k < plan->n_outputs; k++) {
    plan->outputs[k] = outputs[k];
    fits = fits && put_behind(&bytes, hy__work_bytes(&outputs[k]) + 1, &plan->output_offsets[k]);
  }
  fits = fits && hy__mul(b->lane_bytes, b->n_lanes, &all) && put_behind(&bytes, all, &b->lanes_at);
  HY_FAIL_IF(!fits, HY_LIMIT, err, "the blocks' arenas are too large");
  plan->arena_bytes = bytes;
  return HY_OK;
}

/* `outputs`: of the whole batch. */
static hy_status make(hy__plan *plan, const hy__tracks *t, const hy__plan_request *r, chosen c,
                      const hy_tensor *outputs, hy_error *err) {
  hy__work *w = t->w;
  HY_TRY(blocks_make(plan, t, r, c, err));
  HY_TRY(hy__block_scale(w, t, (int64_t)c.rows, err));
  plan->weight_bytes = 0;
  w->pool = NULL; /* steps do not divide: blocks do */
  HY_TRY(hy__plan_lower(plan, w, err));
  return arena_place(plan, outputs, err);
}

/* The plan as it was before a try that failed or did not pay. */
typedef struct kept {
  hy__plan plan;
  hy_tensor *outputs;
  size_t *offsets;
} kept;

static hy_status keep(hy__plan *plan, hy__arena *arena, kept *k, hy_error *err) {
  void *outputs, *offsets;
  const size_t n = plan->n_outputs;
  HY_TRY(hy__arena_array(arena, n + 1, sizeof(hy_tensor), &outputs, err));
  HY_TRY(hy__arena_array(arena, n + 1, sizeof(size_t), &offsets, err));
  memcpy(outputs, plan->outputs, n * sizeof(hy_tensor));
  memcpy(offsets, plan->output_offsets, n * sizeof(size_t));
  *k = (kept){*plan, outputs, offsets};
  return HY_OK;
}

static void put_back(hy__plan *plan, const kept *k) {
  *plan = k->plan;
  memcpy(plan->outputs, k->outputs, plan->n_outputs * sizeof(hy_tensor));
  memcpy(plan->output_offsets, k->offsets, plan->n_outputs * sizeof(size_t));
}

/* One thread's blocks are for their memory; a layer's own scratch does not shrink with them. */
static bool pays(const hy__plan *plan, const kept *whole) {
  return plan->blocks->n_lanes > 1 || plan->arena_bytes < whole->plan.arena_bytes / 4 * 3;
}

hy_status hy__plan_block(hy__plan *plan, hy__work *w, const hy__plan_request *r, hy_error *err) {
  hy__tracks t;
  kept whole;
  bool proven;
  if (r->is_body || r->block_rows == HY__PLAN_WHOLE || !plan->n_steps) return HY_OK;
  HY_TRY(tracks_make(w, r, &t, &proven, err));
  if (!proven) return HY_OK;
  const chosen c = choose(plan, r, (size_t)t.n_rows);
  if (c.rows >= (size_t)t.n_rows) return HY_OK;
  HY_TRY(keep(plan, w->arena, &whole, err));
  const hy_status status = make(plan, &t, r, c, whole.outputs, err);
  if (status == HY_OUT_OF_MEMORY) return status;
  if (status == HY_OK && (r->block_rows || pays(plan, &whole))) return HY_OK;
  hy_error_clear(err); /* what cannot be written for a block is run at once */
  put_back(plan, &whole);
  return HY_OK;
}
