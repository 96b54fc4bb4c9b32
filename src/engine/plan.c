/* SPDX-License-Identifier: Apache-2.0 */
/* Making a plan: build the working graph, let the passes rewrite it, lower what is left, lay it out
 * (layout.c); then binding and running, which allocate nothing. */
#include "engine/plan.h"

enum { ARENA_BLOCK = 1 << 14, SHAPE_INTS_MAX = 16 };

/* Copies `n` of the view's elements into the plan's arena. */
static hy_status keep(hy__arena *arena, const void *from, size_t n, size_t each, void **out,
                      hy_error *err) {
  HY_TRY(hy__arena_array(arena, n + 1, each, out, err));
  if (n) memcpy(*out, from, n * each);
  return HY_OK;
}

static void info_fill(const hy__work_node *node, const hy__op_plan *view, hy__step_info *info) {
  info->op = node->op;
  info->node = node->node;
  info->scratch_bytes = view->scratch_bytes;
  info->halves = view->packs && view->packs->halves;
  for (size_t k = 0; k < view->n_in && k < 64; k++)
    if (view->in_present[k] && view->in[k].data) info->known |= (uint64_t)1 << k;
  for (size_t k = 0; k < view->n_out && k < 64; k++)
    if (view->out_wanted[k]) info->wanted |= (uint64_t)1 << k;
}

static hy_status draft_fill(hy__work *w, const hy__work_node *node, const hy__op_plan *view,
                            hy__draft *d, hy_error *err) {
  void *in, *out, *alias, *inplace;
  size_t n_in = view->n_in + view->n_captured;
  HY_TRY(keep(w->arena, view->in, n_in, sizeof(hy_tensor), &in, err));
  HY_TRY(keep(w->arena, view->out, view->n_out, sizeof(hy_tensor), &out, err));
  HY_TRY(keep(w->arena, view->out_alias, view->n_out, sizeof(int32_t), &alias, err));
  HY_TRY(keep(w->arena, view->out_inplace, view->n_out, sizeof(uint32_t), &inplace, err));
  d->step = (hy__step){.run = view->run,
                       .params = view->params,
                       .in = in,
                       .out = out,
                       .n_in = n_in,
                       .n_out = view->n_out,
                       .kernels = view->kernels,
                       .pool = view->pool};
  d->in = node->node.inputs;
  d->out = node->node.outputs;
  d->alias = alias;
  d->inplace = inplace;
  d->scratch_bytes = view->scratch_bytes;
  d->alone = view->alone;
  d->skip = true;
  for (size_t k = 0; k < view->n_out; k++) {
    d->step.out[k].data = NULL;
    bool empty = hy__work_bytes(&view->out[k]) == 0;
    if (view->out_wanted[k] && view->out_alias[k] < 0 && !empty) d->skip = false;
  }
  return HY_OK;
}

static hy_status lower_one(hy__plan *plan, hy__work *w, const hy__work_node *node, hy__draft *d,
                           hy_error *err) {
  hy__op_plan view;
  HY_TRY(hy__work_view(w, node, &view, err));
  size_t packed = w->packs->n_bytes;
  HY_TRY(node->op->lower(&view, err));
  HY_FAIL_IF(!view.run, HY_INTERNAL, err, "the operator gave no step");
  packed = w->packs->n_bytes - packed;
  info_fill(node, &view, &d->info);
  d->info.weight_bytes = packed;
  for (size_t k = 0; !packed && k < view.n_in; k++)
    if (view.in_present[k] && view.in[k].data) d->info.weight_bytes += hy__work_bytes(&view.in[k]);
  plan->weight_bytes += d->info.weight_bytes;
  return draft_fill(w, node, &view, d, err);
}

hy_status hy__plan_lower(hy__plan *plan, hy__work *w, hy_error *err) {
  void *memory, *outputs;
  size_t n = 0;
  HY_TRY(hy__arena_array(w->arena, w->n_nodes + w->n_outputs + 1, sizeof(hy__draft), &memory, err));
  HY_TRY(hy__arena_array(w->arena, w->n_outputs + 1, sizeof(int32_t), &outputs, err));
  memcpy(outputs, w->outputs, w->n_outputs * sizeof(int32_t));
  hy__draft *drafts = memory;
  for (size_t i = 0; i < w->n_nodes; i++) {
    if (w->nodes[i].dead) continue;
    hy_status status = lower_one(plan, w, &w->nodes[i], &drafts[n++], err);
    if (status != HY_OK) return hy__work_blame(&w->nodes[i].node, status, err);
  }
  HY_TRY(hy__plan_beside(w, drafts, n, err));
  HY_TRY(hy__plan_layout(plan, w, drafts, n, err));
  memcpy(w->outputs, outputs, w->n_outputs * sizeof(int32_t)); /* copies stand for some of them */
  return HY_OK;
}

static bool like_shape(const hy_tensor *t) {
  size_t n = hy__work_bytes(t) / hy_dtype_bytes(t->dtype);
  bool integers = t->dtype == HY_I64 || t->dtype == HY_I32;
  return n > 0 && t->dtype != HY_STRING && n <= (integers ? SHAPE_INTS_MAX : 1);
}

static hy_status plan_types(hy__plan *plan, const hy__plan_request *r, hy_error *err) {
  void *inputs, *outputs, *offsets, *known;
  plan->n_inputs = r->graph->n_inputs + hy__graph_captures(r->graph, NULL);
  plan->n_outputs = r->n_outputs;
  HY_TRY(keep(plan->arena, r->inputs, plan->n_inputs, sizeof(hy_tensor), &inputs, err));
  HY_TRY(hy__arena_array(plan->arena, plan->n_outputs + 1, sizeof(hy_tensor), &outputs, err));
  HY_TRY(hy__arena_array(plan->arena, plan->n_outputs + 1, sizeof(size_t), &offsets, err));
  HY_TRY(hy__arena_array(plan->arena, plan->n_outputs + 1, sizeof(void *), &known, err));
  plan->inputs = inputs;
  plan->outputs = outputs;
  plan->output_offsets = offsets;
  plan->known = known;
  for (size_t k = 0; k < plan->n_inputs; k++) {
    if (r->values == HY__PLAN_ALL || (r->stable && r->stable[k])) continue;
    plan->inputs[k].data = NULL;
    if (r->values == HY__PLAN_NONE || !like_shape(&r->inputs[k])) continue;
    size_t bytes = hy__work_bytes(&r->inputs[k]);
    HY_TRY(keep(plan->arena, r->inputs[k].data, bytes, 1, &plan->inputs[k].data, err));
  }
  return HY_OK;
}

static hy_status make(hy__plan *plan, const hy__plan_request *r, hy_error *err) {
  hy__packs packs = {.store = r->shared->packs, .arena = plan->arena, .halves = r->halves};
  hy__work w = {.runtime = r->runtime,
                .allocator = hy__runtime_allocator(r->runtime),
                .arena = plan->arena,
                .kernels = r->kernels,
                .pool = r->pool,
                .packs = &packs,
                .folds = r->is_body ? NULL : r->shared->folds,
                .max_elements = r->limits.max_elements,
                .deadline_ns = r->deadline_ns};
  HY_TRY(plan_types(plan, r, err));
  HY_TRY(hy__body_host(plan->arena, r, &plan->weight_bytes, &w.host, err));
  hy__work_source from = {.graph = r->graph,
                          .inputs = plan->inputs,
                          .stable = r->stable,
                          .outputs = r->outputs,
                          .n_outputs = r->n_outputs};
  void *rewrites;
  HY_TRY(hy__arena_array(plan->arena, hy__pass_count() + 1, sizeof(size_t), &rewrites, err));
  w.rewrites = plan->rewrites = rewrites;
  hy_status status = hy__work_build(&w, &from, err);
  plan->n_built = w.n_nodes;
  if (status == HY_OK && !r->plain) status = hy__pass_run_all(&w, err);
  for (size_t k = 0; k < w.n_outputs && status == HY_OK; k++)
    plan->known[k] = w.values[w.outputs[k]].t.data;
  if (status == HY_OK) status = hy__plan_lower(plan, &w, err);
  if (status == HY_OK) status = hy__plan_block(plan, &w, r, err);
  hy__work_destroy(&w);
  return status;
}

hy_status hy__plan_create_in(hy__arena *arena, const hy__plan_request *r, hy__plan **out,
                             hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(arena, sizeof(hy__plan), HY_ALIGN, &memory, err));
  *out = memory;
  (*out)->arena = arena;
  return make(*out, r, err);
}

hy_status hy__plan_create(const hy__plan_request *request, hy__plan **out, hy_error *err) {
  hy__arena *arena;
  hy__plan_request with_end = *request, *r = &with_end;
  if (r->limits.max_plan_ns && !r->deadline_ns)
    r->deadline_ns = hy__clock_monotonic_ns() + r->limits.max_plan_ns;
  HY_TRY(hy__arena_create(hy__runtime_allocator(r->runtime),
                          r->block_bytes ? r->block_bytes : (size_t)ARENA_BLOCK,
                          r->limits.max_plan_bytes, &arena, err));
  hy_status status = hy__plan_create_in(arena, r, out, err);
  if (status == HY_OK)
    hy__arena_freeze(arena);
  else
    hy__arena_destroy(arena);
  return status;
}

void hy__plan_destroy(hy__plan *plan) {
  if (plan) hy__arena_destroy(plan->arena);
}

static void bind_lane(const hy__plan *plan, const hy__lane *lane, uint8_t *base) {
  for (size_t i = 0; i < plan->n_binds; i++) *lane->binds[i].slot = base + lane->binds[i].offset;
}

static void bind_arena(const hy__plan *plan, uint8_t *base) {
  const hy__lane own = {plan->steps, plan->binds, plan->callers};
  const hy__blocks *b = plan->blocks;
  if (!b) bind_lane(plan, &own, base);
  for (size_t k = 0; b && k < b->n_lanes; k++)
    bind_lane(plan, &b->lanes[k], base + b->lanes_at + k * b->lane_bytes);
}

void hy__plan_bind(hy__plan *plan, void *base, void *const *inputs, void *const *outputs) {
  if (plan->base != base) bind_arena(plan, base);
  plan->base = base;
  for (size_t k = 0; k < plan->n_outputs; k++)
    plan->outputs[k].data = outputs[k] ? outputs[k] : (uint8_t *)base + plan->output_offsets[k];
  if (plan->blocks) { /* each block binds its rows */
    memcpy(plan->blocks->inputs, inputs, plan->n_inputs * sizeof *inputs);
    return;
  }
  for (size_t i = 0; i < plan->n_callers; i++) {
    const hy__bind *b = &plan->callers[i];
    *b->slot = (size_t)b->caller < plan->n_inputs
                   ? inputs[b->caller]
                   : plan->outputs[(size_t)b->caller - plan->n_inputs].data;
  }
}

hy_status hy__plan_run(const hy__plan *plan, hy_error *err) {
  if (plan->blocks) return hy__blocks_run(plan, err);
  for (size_t i = 0; i < plan->n_steps; i++) {
    if (plan->infos[i].beside) {
      const size_t end = plan->infos[i].group_end;
      HY_TRY(hy__beside_run(plan, i, end, err));
      i = end - 1;
      continue;
    }
    HY_TRY(plan->steps[i].run(&plan->steps[i], err));
    plan->steps[i].turned = !plan->steps[i].turned;
  }
  return HY_OK;
}
