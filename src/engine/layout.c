/* SPDX-License-Identifier: Apache-2.0 */
/* Where the operands of a plan's steps lie: values that share memory (aliases, in-place results)
 * are joined into roots, roots live from first to last use, and each pointer gets its binding. */
#include "engine/plan.h"

typedef enum root_kind { IN_ARENA, IN_CALLER, KNOWN } root_kind;

typedef struct root {
  root_kind kind;
  int32_t input;  /* IN_CALLER */
  int32_t output; /* the output that it is, else -1 */
  size_t bytes;
  int32_t first, last;
  size_t offset;
} root;

typedef struct layout {
  hy__plan *plan;
  hy__work *w;
  hy__draft *drafts;
  size_t n_drafts;
  root *roots;
  size_t n_roots;
  int32_t *root_of; /* per value, -1 none */
} layout;

static int32_t root_new(layout *l, root_kind kind, size_t bytes, int32_t first) {
  l->roots[l->n_roots] = (root){
      .kind = kind, .input = -1, .output = -1, .bytes = bytes, .first = first, .last = first};
  return (int32_t)l->n_roots++;
}

/* The drafts that run at the same time as draft s. */
static int32_t begin_of(const layout *l, size_t s) {
  return l->drafts[s].beside ? l->drafts[s].group_first : (int32_t)s;
}
static int32_t end_of(const layout *l, size_t s) {
  return l->drafts[s].beside ? l->drafts[s].group_last : (int32_t)s;
}

/* Each value's root by aliases alone, and how long each root is used. */
static void roots_by_alias(layout *l) {
  hy__work *w = l->w;
  for (size_t v = 0; v < w->n_values; v++) {
    l->root_of[v] = -1;
    if (w->values[v].t.data) l->root_of[v] = root_new(l, KNOWN, 0, 0);
  }
  for (size_t k = 0; k < w->n_inputs; k++) {
    if (w->inputs[k] < 0 || w->values[w->inputs[k]].t.data) continue;
    int32_t r = root_new(l, IN_CALLER, hy__work_bytes(&l->plan->inputs[k]), 0);
    l->roots[r].input = (int32_t)k;
    l->root_of[w->inputs[k]] = r;
  }
  for (size_t s = 0; s < l->n_drafts; s++) {
    const hy__draft *d = &l->drafts[s];
    for (size_t k = 0; k < d->step.n_in; k++)
      if (d->in[k] >= 0) l->roots[l->root_of[d->in[k]]].last = end_of(l, s);
    for (size_t k = 0; k < d->step.n_out; k++) {
      if (d->out[k] < 0 || w->values[d->out[k]].uses == 0) continue;
      l->root_of[d->out[k]] =
          d->alias[k] >= 0 ? l->root_of[d->in[d->alias[k]]]
                           : root_new(l, IN_ARENA, hy__work_bytes(&d->step.out[k]), begin_of(l, s));
      root *made = &l->roots[l->root_of[d->out[k]]];
      made->last = HY_MAX(made->last, end_of(l, s));
    }
  }
  for (size_t k = 0; k < w->n_outputs; k++) l->roots[l->root_of[w->outputs[k]]].last = INT32_MAX;
}

/* The root whose memory `id` has, after the joins so far. */
static int32_t joined_root(const layout *l, int32_t id, const int32_t *joined) {
  int32_t r = id < 0 ? -1 : l->root_of[id];
  while (r >= 0 && joined[r] >= 0) r = joined[r];
  return r;
}

/* Step `d` reads root r by a port that does not allow output k to share it. */
static bool read_besides(const layout *l, const hy__draft *d, size_t k, int32_t r,
                         const int32_t *joined) {
  for (size_t i = 0; i < d->step.n_in; i++) {
    const bool allowed = i < 32 && (d->inplace[k] & 1u << i);
    if (!allowed && joined_root(l, d->in[i], joined) == r) return true;
  }
  return false;
}

/* Output k of step s takes the memory of an input that dies there. */
static void join_inplace(layout *l, size_t s, size_t k, int32_t *joined) {
  const hy__draft *d = &l->drafts[s];
  int32_t own = l->root_of[d->out[k]];
  for (size_t i = 0; i < d->step.n_in && i < 32; i++) {
    if (!(d->inplace[k] & 1u << i) || d->in[i] < 0) continue;
    int32_t r = joined_root(l, d->in[i], joined);
    root *from = &l->roots[r];
    if (r == own || from->kind != IN_ARENA || from->last != (int32_t)s ||
        from->bytes != l->roots[own].bytes || read_besides(l, d, k, r, joined))
      continue;
    from->last = l->roots[own].last;
    joined[own] = r;
    return;
  }
}

static hy_status roots_join(layout *l, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(l->w->arena, l->n_roots + 1, sizeof(int32_t), &memory, err));
  int32_t *joined = memory;
  for (size_t r = 0; r < l->n_roots; r++) joined[r] = -1;
  for (size_t s = 0; s < l->n_drafts; s++) {
    const hy__draft *d = &l->drafts[s];
    for (size_t k = 0; k < d->step.n_out; k++) {
      bool made = !d->beside && d->out[k] >= 0 && l->root_of[d->out[k]] >= 0 && d->alias[k] < 0;
      if (made && d->inplace[k]) join_inplace(l, s, k, joined);
    }
  }
  for (size_t v = 0; v < l->w->n_values; v++)
    while (l->root_of[v] >= 0 && joined[l->root_of[v]] >= 0) l->root_of[v] = joined[l->root_of[v]];
  for (size_t r = 0; r < l->n_roots; r++)
    if (joined[r] >= 0) l->roots[r].kind = KNOWN; /* no memory of its own */
  return HY_OK;
}

static hy_status run_copy(const hy__step *s, hy_error *err) {
  (void)err;
  memcpy(s->out[0].data, s->in[0].data, hy__work_bytes(&s->in[0]));
  return HY_OK;
}

/* An output that is an input, a known value, or the same memory as another output is copied. */
static hy_status output_copy(layout *l, size_t k, hy_error *err) {
  hy__work *w = l->w;
  void *tensors, *ids;
  const hy_tensor type = w->values[w->outputs[k]].t;
  HY_TRY(hy__arena_array(w->arena, 2, sizeof(hy_tensor), &tensors, err));
  HY_TRY(hy__arena_array(w->arena, 4, sizeof(int32_t), &ids, err));
  int32_t *pair = ids;
  pair[0] = w->outputs[k];
  pair[2] = -1;
  HY_TRY(hy__work_value_new(w, &type, "", &pair[1], err));
  hy_tensor *t = tensors;
  t[0] = t[1] = type;
  t[1].data = NULL;
  w->values[pair[1]].t.data = NULL;
  l->drafts[l->n_drafts] = (hy__draft){
      .step =
          {.run = run_copy, .in = t, .out = t + 1, .n_in = 1, .n_out = 1, .kernels = w->kernels},
      .in = pair,
      .out = pair + 1,
      .alias = pair + 2};
  l->root_of[pair[1]] = root_new(l, IN_ARENA, hy__work_bytes(&type), (int32_t)l->n_drafts);
  l->roots[l->root_of[pair[1]]].last = INT32_MAX;
  l->n_drafts++;
  w->outputs[k] = pair[1];
  return HY_OK;
}

static hy_status outputs_own(layout *l, hy_error *err) {
  for (size_t k = 0; k < l->w->n_outputs; k++) {
    root *r = &l->roots[l->root_of[l->w->outputs[k]]];
    if (r->kind != IN_ARENA || r->output >= 0) HY_TRY(output_copy(l, k, err));
    l->roots[l->root_of[l->w->outputs[k]]].output = (int32_t)k;
  }
  return HY_OK;
}

/* The most bytes whose lifetimes meet at one step. */
static hy_status live_count(layout *l, const hy__memory_block *blocks, size_t n, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(l->w->arena, l->n_drafts + 2, sizeof(int64_t), &memory, err));
  int64_t *change = memory, live = 0, most = 0;
  for (size_t b = 0; b < n; b++) {
    int64_t bytes = (int64_t)((blocks[b].bytes + HY_ALIGN - 1) & ~(size_t)(HY_ALIGN - 1));
    change[blocks[b].first] += bytes;
    change[(size_t)HY_MIN(blocks[b].last, (int32_t)l->n_drafts) + 1] -= bytes;
  }
  for (size_t s = 0; s <= l->n_drafts; s++) {
    live += change[s];
    most = HY_MAX(most, live);
  }
  l->plan->live_bytes = (size_t)most;
  return HY_OK;
}

static hy_status offsets(layout *l, hy__memory_block *blocks, size_t *scratch_at, hy_error *err) {
  size_t n = 0;
  for (size_t r = 0; r < l->n_roots; r++) {
    const root *x = &l->roots[r];
    const bool apart = l->plan->blocks && x->output >= 0; /* whole outputs lie before the lanes */
    if (x->kind == IN_ARENA)
      blocks[n++] =
          (hy__memory_block){HY_MAX(apart ? 0 : x->bytes, (size_t)1), x->first, x->last, 0};
  }
  for (size_t s = 0; s < l->n_drafts; s++)
    if (l->drafts[s].scratch_bytes)
      blocks[n++] = (hy__memory_block){l->drafts[s].scratch_bytes, begin_of(l, s), end_of(l, s), 0};
  HY_TRY(hy__memory_plan(blocks, n, l->w->allocator, &l->plan->arena_bytes, err));
  HY_TRY(live_count(l, blocks, n, err));
  n = 0;
  for (size_t r = 0; r < l->n_roots; r++)
    if (l->roots[r].kind == IN_ARENA) l->roots[r].offset = blocks[n++].offset;
  for (size_t s = 0; s < l->n_drafts; s++)
    if (l->drafts[s].scratch_bytes) scratch_at[s] = blocks[n++].offset;
  return HY_OK;
}

static void bind_value(layout *l, hy__lane *lane, int32_t value, hy_tensor *t) {
  hy__plan *plan = l->plan;
  if (value < 0 || l->root_of[value] < 0) {
    t->data = NULL;
    return;
  }
  const root *r = &l->roots[l->root_of[value]];
  if (r->kind == KNOWN)
    t->data = l->w->values[value].t.data;
  else if (r->kind == IN_CALLER)
    lane->callers[plan->n_callers++] = (hy__bind){&t->data, 0, r->input};
  else if (r->output >= 0)
    lane->callers[plan->n_callers++] = (hy__bind){&t->data, 0, (int32_t)plan->n_inputs + r->output};
  else
    lane->binds[plan->n_binds++] = (hy__bind){&t->data, r->offset, -1};
}

/* The operands of a step: the draft's own for the first lane, copies for the others. */
static hy_status operands(layout *l, const hy__draft *d, bool copies, hy__step *step,
                          hy_error *err) {
  void *in, *out;
  *step = d->step;
  if (!copies) return HY_OK;
  HY_TRY(hy__arena_array(l->plan->arena, step->n_in + 1, sizeof(hy_tensor), &in, err));
  HY_TRY(hy__arena_array(l->plan->arena, step->n_out + 1, sizeof(hy_tensor), &out, err));
  if (step->n_in) memcpy(in, step->in, step->n_in * sizeof(hy_tensor));
  if (step->n_out) memcpy(out, step->out, step->n_out * sizeof(hy_tensor));
  step->in = in;
  step->out = out;
  return HY_OK;
}

static hy_status lane_fill(layout *l, const size_t *scratch_at, bool copies, hy__lane *lane,
                           hy_error *err) {
  hy__plan *plan = l->plan;
  plan->n_steps = plan->n_binds = plan->n_callers = 0;
  for (size_t s = 0; s < l->n_drafts; s++) {
    const hy__draft *d = &l->drafts[s];
    if (d->skip) continue;
    plan->infos[plan->n_steps] = d->info;
    plan->infos[plan->n_steps].beside = d->beside;
    if (d->beside) /* no draft of a group is skipped */
      plan->infos[plan->n_steps].group_end =
          (uint32_t)(plan->n_steps + 1 + (size_t)d->group_last - s);
    hy__step *step = &lane->steps[plan->n_steps++];
    HY_TRY(operands(l, d, copies, step, err));
    for (size_t k = 0; k < step->n_in; k++)
      bind_value(l, lane, d->in[k], &((hy_tensor *)(uintptr_t)step->in)[k]);
    for (size_t k = 0; k < step->n_out; k++) bind_value(l, lane, d->out[k], &step->out[k]);
    if (d->scratch_bytes)
      lane->binds[plan->n_binds++] = (hy__bind){&step->scratch, scratch_at[s], -1};
  }
  return HY_OK;
}

static hy_status lane_make(layout *l, const size_t *scratch_at, bool copies, hy__lane *lane,
                           hy_error *err) {
  void *steps, *binds, *callers;
  size_t n = 1;
  for (size_t s = 0; s < l->n_drafts; s++)
    n += l->drafts[s].step.n_in + l->drafts[s].step.n_out + 1;
  HY_TRY(hy__arena_array(l->plan->arena, l->n_drafts + 1, sizeof(hy__step), &steps, err));
  HY_TRY(hy__arena_array(l->plan->arena, n, sizeof(hy__bind), &binds, err));
  HY_TRY(hy__arena_array(l->plan->arena, n, sizeof(hy__bind), &callers, err));
  *lane = (hy__lane){steps, binds, callers};
  return lane_fill(l, scratch_at, copies, lane, err);
}

static hy_status steps_make(layout *l, const size_t *scratch_at, hy_error *err) {
  hy__plan *plan = l->plan;
  void *infos;
  hy__lane own;
  HY_TRY(hy__arena_array(plan->arena, l->n_drafts + 1, sizeof(hy__step_info), &infos, err));
  plan->infos = infos;
  for (size_t k = 1; plan->blocks && k < plan->blocks->n_lanes; k++)
    HY_TRY(lane_make(l, scratch_at, true, &plan->blocks->lanes[k], err));
  HY_TRY(lane_make(l, scratch_at, false, &own, err));
  if (plan->blocks) plan->blocks->lanes[0] = own;
  plan->steps = own.steps;
  plan->binds = own.binds;
  plan->callers = own.callers;
  return HY_OK;
}

hy_status hy__plan_layout(hy__plan *plan, hy__work *w, hy__draft *drafts, size_t n_drafts,
                          hy_error *err) {
  layout l = {.plan = plan, .w = w, .drafts = drafts, .n_drafts = n_drafts};
  size_t n_values = w->n_values + w->n_outputs, n_roots = 2 * n_values + n_drafts + 1;
  void *roots, *root_of, *blocks, *scratch_at;
  HY_TRY(hy__arena_array(w->arena, n_roots, sizeof(root), &roots, err));
  HY_TRY(hy__arena_array(w->arena, n_values + 1, sizeof(int32_t), &root_of, err));
  l.roots = roots;
  l.root_of = root_of;
  roots_by_alias(&l);
  HY_TRY(roots_join(&l, err));
  HY_TRY(outputs_own(&l, err));
  HY_TRY(hy__arena_array(w->arena, n_roots + l.n_drafts, sizeof(hy__memory_block), &blocks, err));
  HY_TRY(hy__arena_array(w->arena, l.n_drafts + 1, sizeof(size_t), &scratch_at, err));
  HY_TRY(offsets(&l, blocks, scratch_at, err));
  HY_TRY(steps_make(&l, scratch_at, err));
  for (size_t k = 0; k < w->n_outputs; k++) {
    plan->outputs[k] = w->values[w->outputs[k]].t;
    plan->outputs[k].data = NULL;
    plan->output_offsets[k] = l.roots[l.root_of[w->outputs[k]]].offset;
  }
  return HY_OK;
}
