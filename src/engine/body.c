/* SPDX-License-Identifier: Apache-2.0 */
/* Subgraphs inside a plan: a body is a plan of its own in the arena of the plan around it, made
 * once per types that an operator asks for, and run by that operator's step in the step's scratch.
 */
#include "engine/plan.h"

typedef struct body {
  hy__body base; /* first: an operator holds its address */
  const hy__graph *graph;
  hy_tensor *in; /* as asked for: types, and data where known */
  bool *wanted;
  hy__plan *plan;
  struct body *next;
} body;

typedef struct host {
  hy__op_host base; /* first */
  hy__arena *arena;
  hy__plan_request around;
  size_t *weight_bytes;
  body *bodies;
} host;

static bool same_in(const hy_tensor *a, const hy_tensor *b) {
  return a->dtype == b->dtype && a->rank == b->rank && a->data == b->data &&
         memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) == 0;
}

static body *find(const host *h, const hy__body_request *r, size_t n_in) {
  for (body *b = h->bodies; b; b = b->next) {
    bool same = b->graph == r->graph &&
                memcmp(b->wanted, r->wanted, r->graph->n_outputs * sizeof(bool)) == 0;
    for (size_t k = 0; same && k < n_in; k++) same = same_in(&b->in[k], &r->in[k]);
    if (same) return b;
  }
  return NULL;
}

static hy_status keep(hy__arena *arena, const void *from, size_t n, size_t each, void **out,
                      hy_error *err) {
  HY_TRY(hy__arena_array(arena, n + 1, each, out, err));
  if (n) memcpy(*out, from, n * each);
  return HY_OK;
}

static hy_status outputs_of(const host *h, body *b, hy_error *err) {
  void *out;
  b->base.n_out = b->plan->n_outputs;
  HY_TRY(keep(h->arena, b->plan->outputs, b->base.n_out, sizeof(hy_tensor), &out, err));
  b->base.out = out;
  for (size_t k = 0; k < b->base.n_out; k++)
    ((hy_tensor *)out)[k].data = (void *)(uintptr_t)b->plan->known[k];
  return HY_OK;
}

static hy_status make(host *h, const hy__body_request *r, body *b, hy_error *err) {
  void *in, *wanted, *outputs;
  size_t n_outputs = 0;
  HY_TRY(keep(h->arena, r->in, b->base.n_in, sizeof(hy_tensor), &in, err));
  HY_TRY(keep(h->arena, r->wanted, r->graph->n_outputs, sizeof(bool), &wanted, err));
  HY_TRY(hy__arena_array(h->arena, r->graph->n_outputs + 1, sizeof(int32_t), &outputs, err));
  for (size_t k = 0; k < r->graph->n_outputs; k++)
    if (r->wanted[k]) ((int32_t *)outputs)[n_outputs++] = r->graph->outputs[k];
  b->graph = r->graph;
  b->in = in;
  b->wanted = wanted;
  hy__plan_request request = h->around;
  request.graph = r->graph;
  request.inputs = b->in;
  request.stable = r->stable;
  request.outputs = outputs;
  request.n_outputs = n_outputs;
  request.values = HY__PLAN_ALL;
  request.is_body = true;
  HY_TRY(hy__plan_create_in(h->arena, &request, &b->plan, err));
  b->base.scratch_bytes = b->plan->arena_bytes;
  *h->weight_bytes += b->plan->weight_bytes;
  return outputs_of(h, b, err);
}

static hy_status host_plan(hy__op_host *base, const hy__body_request *r, hy__body **out,
                           hy_error *err) {
  host *h = (host *)(void *)base;
  void *memory;
  size_t n_captured = hy__graph_captures(r->graph, NULL), n_in = r->graph->n_inputs + n_captured;
  body *b = find(h, r, n_in);
  if (!b) {
    HY_TRY(hy__arena_alloc(h->arena, sizeof(body), _Alignof(body), &memory, err));
    b = memory;
    b->base.n_in = n_in;
    b->base.n_captured = n_captured;
    HY_TRY(make(h, r, b, err));
    b->next = h->bodies;
    h->bodies = b;
  }
  *out = &b->base;
  return HY_OK;
}

static hy_status host_run(hy__body *base, void *scratch, void *const *in, void *const *out,
                          hy_error *err) {
  body *b = (body *)(void *)base;
  hy__plan_bind(b->plan, scratch, in, out);
  return hy__plan_run(b->plan, err);
}

hy_status hy__body_host(hy__arena *arena, const hy__plan_request *request, size_t *weight_bytes,
                        hy__op_host **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(arena, sizeof(host), _Alignof(host), &memory, err));
  host *h = memory;
  *h = (host){.base = {.plan = host_plan, .run = host_run, .budget = request->budget},
              .arena = arena,
              .around = *request,
              .weight_bytes = weight_bytes};
  *out = &h->base;
  return HY_OK;
}
