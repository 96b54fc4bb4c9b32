/* SPDX-License-Identifier: Apache-2.0
 * Running a stack of recurrent layers. Groups of rows are independent and divide among the workers;
 * a group goes through all steps of a layer before the next, so that a layer's weights stay in the
 * caches. In stages the layers run behind each other, and a stage tells how many steps it has done
 * by one number in a cache line of its own. */
#include "op/recurrent_stack.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

/* A group on its way; several stages share it. */
typedef struct group {
  const hy__step *step;
  const hy__stack_plan *q;
  float *scratch;
  size_t first, rows;
} group;

typedef struct mark {
  _Alignas(64) _Atomic uint32_t done; /* steps that the stage has left in y */
} mark;

static mark *marks_of(const group *g) { return (mark *)(void *)g->scratch; }

static hy__recurrent_series input_of(const group *g, size_t stage, size_t layer) {
  const hy__stack_plan *q = g->q;
  if (layer > 0) {
    const size_t from = layer == q->stages[stage].first ? stage - 1 : stage;
    return (hy__recurrent_series){g->scratch + q->stages[from].y_at, q->y_ld, g->rows * q->y_ld,
                                  g->rows};
  }
  const float *x = g->step->in[0].data;
  if (q->layout_x)
    return (hy__recurrent_series){x + g->first * q->steps * q->features, q->steps * q->features,
                                  q->features, g->rows};
  return (hy__recurrent_series){x + g->first * q->features, q->features, q->batch * q->features,
                                g->rows};
}

/* Where a layer's states go: to the stage's own memory, or from the last layer to Y if wanted. */
static void output_of(const group *g, size_t stage, size_t layer, size_t s0,
                      hy__recurrent_call *call) {
  const hy__stack_plan *q = g->q;
  if (layer + 1 < q->n_layers) {
    call->y_step = (ptrdiff_t)(g->rows * q->y_ld);
    call->y_ld = q->y_ld;
    call->y = g->scratch + q->stages[stage].y_at;
  } else if (g->step->out[0].data) {
    const size_t hidden = call->hidden;
    call->y_step = (ptrdiff_t)(hidden * (q->layout ? 1 : q->batch));
    call->y_ld = hidden * (q->layout ? q->steps : 1);
    call->y = (float *)g->step->out[0].data + g->first * call->y_ld;
  }
  if (call->y) call->y += (ptrdiff_t)s0 * call->y_step;
}

static void advance(const group *g, size_t stage, size_t layer, size_t s0, size_t n) {
  const hy__stack_plan *q = g->q;
  const hy__recurrent_plan *p = &q->layers[layer].plan;
  const hy__recurrent *kernels = g->step->kernels->recurrent;
  const size_t each = g->rows * p->padded;
  float *h = g->scratch + q->layers[layer].state_at, *pre = g->scratch + q->stages[stage].pre_at;
  hy__recurrent_series in = input_of(g, stage, layer);
  in.x += s0 * in.step_ld;
  hy__recurrent_project(g->step->kernels, p, &p->side[0], &in, n, pre);
  hy__recurrent_call call = {.steps = n,
                             .pre = pre,
                             .pre_step = (ptrdiff_t)(g->rows * p->columns),
                             .pre_ld = p->columns,
                             .r = p->side[0].r,
                             .r2 = p->side[0].r2,
                             .bias = p->side[0].r_bias,
                             .h = {h + (s0 & 1) * each, h + (~s0 & 1) * each},
                             .c = h + 2 * each,
                             .c_out = h + 2 * each,
                             .scratch = g->scratch + q->stages[stage].work_at,
                             .pairs = p->pairs,
                             .rows = g->rows,
                             .hidden = p->hidden,
                             .padded = p->padded};
  output_of(g, stage, layer, s0, &call);
  switch (p->kind) {
  case HY__CELL_LSTM: kernels->lstm(&call); break;
  case HY__CELL_GRU: (p->after ? kernels->gru_after : kernels->gru_before)(&call); break;
  default: kernels->rnn(&call); break;
  }
}

static void store_state(const group *g) {
  const hy__stack_plan *q = g->q;
  const hy__stack_layer *last = &q->layers[q->n_layers - 1];
  const size_t padded = last->plan.padded, hidden = last->plan.hidden;
  if (g->step->n_out < 2 || !g->step->out[1].data) return;
  const float *h = g->scratch + last->state_at + (q->steps & 1) * g->rows * padded;
  float *to = (float *)g->step->out[1].data + g->first * hidden; /* either layout */
  for (size_t row = 0; row < g->rows; ++row)
    memcpy(to + row * hidden, h + row * padded, hidden * sizeof(float));
}

/* Until `n` steps are there: the stage before has begun, or will on a thread that waits for
 * nobody. */
static void wait_for(mark *m, uint32_t n) {
  enum { SPINS = 4096 };
  for (int i = 0; atomic_load_explicit(&m->done, memory_order_acquire) < n;) {
    if (++i < SPINS) {
      hy__cpu_pause();
      continue;
    }
    sched_yield(); /* its thread may need this CPU */
    i = 0;
  }
}

/* Few steps at first, so that the next stage begins soon, and at last, so that it ends soon. */
static size_t chunk_at(const hy__stack_plan *q, size_t s0) {
  const size_t left = q->steps - s0;
  const size_t n = HY_MIN(HY_MAX(s0, (size_t)2), HY_MAX(left / 2, (size_t)2));
  return HY_MIN(HY_MIN(n, q->block), left);
}

static void run_stage(const group *g, size_t stage) {
  const hy__stack_plan *q = g->q;
  const hy__stack_stage *s = &q->stages[stage];
  mark *marks = marks_of(g);
  const bool alone = q->n_stages == 1;
  for (size_t l = s->first; l < s->end; ++l)
    memset(g->scratch + q->layers[l].state_at, 0,
           3 * g->rows * q->layers[l].plan.padded * sizeof(float));
  for (size_t l = s->first; alone && l < s->end; ++l)
    for (size_t s0 = 0; s0 < q->steps; s0 += q->block)
      advance(g, stage, l, s0, HY_MIN(q->block, q->steps - s0));
  for (size_t s0 = 0, n; !alone && s0 < q->steps; s0 += n) {
    n = chunk_at(q, s0);
    if (stage) wait_for(&marks[stage - 1], (uint32_t)(s0 + n));
    for (size_t l = s->first; l < s->end; ++l) advance(g, stage, l, s0, n);
    /* release: the next stage reads y after it */
    atomic_store_explicit(&marks[stage].done, (uint32_t)(s0 + n), memory_order_release);
  }
  if (s->end == q->n_layers) store_state(g);
}

static group group_at(const hy__step *step, size_t index, size_t place) {
  const hy__stack_plan *q = step->params;
  group g = {.step = step, .q = q, .scratch = (float *)step->scratch + place * q->group_floats};
  hy__row_groups_at(&q->groups, index, &g.first, &g.rows);
  return g;
}

static hy_status run_groups(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  (void)err;
  for (size_t i = begin; i < end; ++i) {
    const group g = group_at(ctx, i, worker);
    run_stage(&g, 0);
  }
  return HY_OK;
}

static hy_status run_stages(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  (void)worker, (void)err;
  for (size_t stage = begin; stage < end; ++stage) run_stage(ctx, stage);
  return HY_OK;
}

/* A few groups, each in stages. */
static hy_status run_staged(const hy__step *step, bool worth, hy_error *err) {
  const hy__stack_plan *q = step->params;
  for (size_t i = 0; i < q->groups.n; ++i) {
    group g = group_at(step, i, 0);
    for (size_t s = 0; s < q->n_stages; ++s)
      atomic_store_explicit(&marks_of(&g)[s].done, 0,
                            memory_order_relaxed); /* the job begins after */
    if (worth)
      HY_TRY(hy__pool_for(step->pool, q->n_stages, 1, run_stages, &g, err));
    else
      HY_TRY(run_stages(&g, 0, 0, q->n_stages, err));
  }
  return HY_OK;
}

hy_status hy__stack_run(const hy__step *step, hy_error *err) {
  const hy__stack_plan *q = step->params;
  hy__step own = *step;
  if (q->batch == 0 || q->steps == 0) {
    const hy_tensor *h = step->n_out > 1 ? &step->out[1] : NULL;
    if (h && h->data) memset(h->data, 0, hy__op_bytes_of(h));
    return HY_OK;
  }
  size_t macs = 0;
  for (size_t l = 0; l < q->n_layers; ++l)
    macs += q->layers[l].plan.columns * (q->layers[l].plan.features + q->layers[l].plan.hidden);
  const bool worth = hy__pool_worth(step->pool, macs * q->batch * q->steps);
  if (q->n_stages > 1) return run_staged(step, worth, err);
  if (worth && q->groups.n > 1)
    return hy__pool_for(step->pool, q->groups.n, 1, run_groups, &own, err);
  return run_groups(&own, 0, 0, q->groups.n, err);
}
