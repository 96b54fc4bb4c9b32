/* SPDX-License-Identifier: Apache-2.0 */
/* Subgraphs as operators see them: see body.h. */
#include "op/body.h"

hy_status hy__op_graph(const hy__op_plan *p, const char *name, size_t n_in, size_t n_out,
                       const hy__graph **out, hy_error *err) {
  const hy__attr *attr = hy__node_attr(p->node, name);
  HY_FAIL_IF(!attr || attr->kind != HY__ATTR_GRAPH, HY_BAD_FORMAT, err, "it has no graph '%s'",
             name);
  *out = attr->as.graph;
  HY_FAIL_IF(n_in != SIZE_MAX && (*out)->n_inputs != n_in, HY_BAD_FORMAT, err,
             "'%s' takes %zu values, the node gives it %zu", name, (*out)->n_inputs, n_in);
  HY_FAIL_IF((*out)->n_outputs != n_out, HY_BAD_FORMAT, err,
             "'%s' gives %zu values, the node expects %zu", name, (*out)->n_outputs, n_out);
  return HY_OK;
}

size_t hy__op_first_captured(const hy__op_plan *p, const char *name) {
  size_t first = p->n_in;
  for (size_t a = 0; a < p->node->n_attrs; a++) {
    const hy__attr *attr = &p->node->attrs[a];
    if (strcmp(attr->name, name) == 0) break;
    if (attr->kind == HY__ATTR_GRAPH) first += hy__graph_captures(attr->as.graph, NULL);
  }
  return first;
}

hy_status hy__op_body(hy__op_plan *p, const char *name, const hy_tensor *in, const bool *wanted,
                      hy__body **out, hy_error *err) {
  const hy__graph *graph = hy__node_attr(p->node, name)->as.graph;
  size_t n_in = graph->n_inputs, n = n_in + hy__graph_captures(graph, NULL);
  size_t first = hy__op_first_captured(p, name);
  void *memory, *flags;
  HY_FAIL_IF(!p->host, HY_UNSUPPORTED, err, "its graph cannot be planned here");
  HY_FAIL_IF(first + n - n_in > p->n_in + p->n_captured, HY_INTERNAL, err,
             "'%s' captures more than the node holds", name);
  HY_TRY(hy__arena_array(p->arena, n + 1, sizeof(hy_tensor), &memory, err));
  HY_TRY(hy__arena_array(p->arena, n + 1, sizeof(bool), &flags, err));
  hy_tensor *tensors = memory;
  bool *stable = flags;
  for (size_t k = 0; k < n; k++) {
    size_t outer = first + k - n_in;
    tensors[k] = k < n_in ? in[k] : p->in[outer];
    stable[k] = k < n_in ? in[k].data != NULL : p->in_stable[outer];
  }
  hy__body_request request = {.graph = graph, .in = tensors, .stable = stable, .wanted = wanted};
  HY_TRY(p->host->plan(p->host, &request, out, err));
  (*out)->first_captured = first;
  return HY_OK;
}

hy_status hy__op_spend(hy__budget *budget, hy_error *err) {
  enum { LOOK_EVERY = 64 };
  HY_FAIL_IF(budget->rounds <= 0, HY_LIMIT, err,
             "loops go round more often than the session's max_rounds allows");
  budget->rounds--;
  if (budget->deadline_ns && budget->rounds % LOOK_EVERY == 0)
    HY_FAIL_IF(hy__clock_monotonic_ns() > budget->deadline_ns, HY_LIMIT, err,
               "the run takes longer than the session's max_run_ms allows");
  return HY_OK;
}

hy_status hy__op_room(size_t *total, size_t bytes, size_t *at, hy_error *err) {
  *at = *total;
  HY_FAIL_IF(!hy__add(*total, bytes, total) || !hy__add(*total, HY_ALIGN - 1, total), HY_LIMIT, err,
             "its memory is larger than the address space");
  *total -= *total % HY_ALIGN;
  return HY_OK;
}

hy_status hy__op_slots_make(size_t *total, const hy__body *body, hy__op_slots *out, hy_error *err) {
  HY_TRY(hy__op_room(total, (body->n_in + 1) * sizeof(void *), &out->in_at, err));
  HY_TRY(hy__op_room(total, (2 * body->n_out + 1) * sizeof(void *), &out->out_at, err));
  return hy__op_room(total, body->scratch_bytes, &out->body_at, err);
}

void hy__op_slots_capture(const hy__op_slots *slots, const hy__body *body, const hy__step *s) {
  void **in = hy__op_slots_in(slots, s) + body->n_in - body->n_captured;
  for (size_t k = 0; k < body->n_captured; k++) in[k] = s->in[body->first_captured + k].data;
}

hy_status hy__op_slots_run(const hy__op_slots *slots, const hy__op_host *host, hy__body *body,
                           const hy__step *s, hy_error *err) {
  HY_TRY(hy__op_spend(host->budget, err));
  return host->run(body, (uint8_t *)s->scratch + slots->body_at, hy__op_slots_in(slots, s),
                   hy__op_slots_out(slots, s), err);
}
