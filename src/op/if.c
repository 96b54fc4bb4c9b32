/* SPDX-License-Identifier: Apache-2.0 */
/* If with a condition that is not known before the run: both branches are planned, and the step
 * runs one. Both must give the same types; where they do not, the node is evaluated. A known
 * condition never comes here: the builder puts the branch in the node's place. */
#include "op/body.h"
#include "op/evaluate.h"

typedef struct branches {
  hy__op_host *host;
  hy__body *body[2]; /* else, then */
  hy__op_slots slots[2];
} branches;

static const char *const names[2] = {"else_branch", "then_branch"};

static hy_status branches_plan(hy__op_plan *p, branches *b, hy_error *err) {
  b->host = p->host;
  for (int k = 0; k < 2; k++) {
    const hy__graph *graph;
    HY_TRY(hy__op_graph(p, names[k], 0, p->n_out, &graph, err));
    HY_TRY(hy__op_body(p, names[k], NULL, p->out_wanted, &b->body[k], err));
  }
  return HY_OK;
}

hy_status hy__op_if_infer(hy__op_plan *p, hy_error *err) {
  branches b;
  HY_FAIL_IF(hy__op_count_of(&p->in[0]) != 1, HY_BAD_FORMAT, err, "its condition must be one bool");
  HY_TRY(branches_plan(p, &b, err));
  for (size_t k = 0, at = 0; k < p->n_out; k++) {
    if (!p->out_wanted[k]) continue;
    const hy_tensor *x = &b.body[0]->out[at], *y = &b.body[1]->out[at];
    at++;
    HY_FAIL_IF(x->dtype != y->dtype || !hy__op_same_dims(x, y), HY_UNSUPPORTED, err,
               "the shape of output %zu depends on data: its branches differ in it", k);
    HY_TRY(hy__op_out_like(p, k, x, err));
  }
  return HY_OK;
}

static hy_status run(const hy__step *s, hy_error *err) {
  const branches *b = s->params;
  int which = *(const uint8_t *)s->in[0].data != 0;
  hy__body *body = b->body[which];
  void **out = hy__op_slots_out(&b->slots[which], s);
  hy__op_slots_capture(&b->slots[which], body, s);
  for (size_t k = 0, at = 0; k < s->n_out && at < body->n_out; k++)
    if (s->out[k].data) out[at++] = s->out[k].data;
  return hy__op_slots_run(&b->slots[which], b->host, body, s, err);
}

hy_status hy__op_if_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(branches), _Alignof(branches), &memory, err));
  branches *b = memory;
  HY_TRY(branches_plan(p, b, err));
  for (int k = 0; k < 2; k++) {
    size_t total = 0;
    HY_TRY(hy__op_slots_make(&total, b->body[k], &b->slots[k], err));
    p->scratch_bytes = HY_MAX(p->scratch_bytes, total);
  }
  p->params = b;
  p->run = run;
  return HY_OK;
}

hy_status hy__op_if_evaluate(hy__evaluation *e, hy_error *err) {
  bool condition;
  const hy__graph *graph;
  HY_TRY(hy__eval_bool(e, 0, &condition, err));
  HY_TRY(hy__eval_graph(e, names[condition], 0, e->n_out, &graph, err));
  return e->run_graph(e->ctx, graph, NULL, e->out, err);
}
