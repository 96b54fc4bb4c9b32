/* SPDX-License-Identifier: Apache-2.0 */
/* Scan evaluated, where its body's shapes depend on data inside: slices in, slices collected,
 * joined at the end. Opset 9 and later. */
#include "op/evaluate.h"

#include "op/rule.h"

typedef struct scan {
  const hy__graph *body;
  size_t n_state, n_in, n_out;
  int64_t n_rounds;
  hy__item **in, **out, **stacked;
} scan;

/* Integer j of the attribute's n, `otherwise` where there is none. */
static hy_status listed(const hy__evaluation *e, const char *name, size_t n, size_t j, int64_t *out,
                        hy_error *err) {
  const hy__attr *attr = hy__node_attr(e->node, name);
  *out = 0;
  if (!attr) return HY_OK;
  HY_FAIL_IF(attr->kind != HY__ATTR_INTS || attr->n != n, HY_BAD_FORMAT, err,
             "%s must list %zu integers", name, n);
  *out = attr->as.ints[j];
  return HY_OK;
}

static hy_status slice_in(hy__evaluation *e, scan *s, size_t j, int64_t round, hy_error *err) {
  hy__eval_part part = {.from = round, .n = 1, .drop_axis = true};
  int64_t axis, direction;
  HY_TRY(hy__eval_tensor(e, s->n_state + j, &part.t, err));
  HY_TRY(listed(e, "scan_input_axes", s->n_in, j, &axis, err));
  HY_TRY(listed(e, "scan_input_directions", s->n_in, j, &direction, err));
  HY_TRY(hy__op_axis(axis, part.t->rank, &part.axis, err));
  int64_t dim = part.t->dims[part.axis];
  if (round < 0) { /* before the first: how many there are */
    HY_FAIL_IF(j && dim != s->n_rounds, HY_BAD_FORMAT, err,
               "scanned inputs have %lld and %lld slices", (long long)s->n_rounds, (long long)dim);
    s->n_rounds = dim;
    return HY_OK;
  }
  if (direction) part.from = dim - 1 - round;
  return hy__eval_cut(e, &part, &s->in[s->n_state + j], err);
}

static hy_status round_run(hy__evaluation *e, scan *s, int64_t round, hy_error *err) {
  for (size_t j = 0; j < s->n_in; j++) HY_TRY(slice_in(e, s, j, round, err));
  hy_status status = e->run_graph(e->ctx, s->body, s->in, s->out, err);
  memset(s->in, 0, e->n_in * sizeof *s->in); /* the graph took them */
  for (size_t k = 0; k < e->n_out && status == HY_OK; k++) {
    hy__item *made = s->out[k];
    s->out[k] = NULL;
    if (k < s->n_state) {
      s->in[k] = made;
      continue;
    }
    hy__item *list = s->stacked[k - s->n_state];
    status = hy__item_insert(e->items, list, list->n_list, made, err);
  }
  return status;
}

static hy_status rounds_run(hy__evaluation *e, scan *s, hy_error *err) {
  for (size_t j = 0; j < s->n_in; j++) HY_TRY(slice_in(e, s, j, -1, err));
  for (size_t k = 0; k < s->n_state; k++) {
    HY_FAIL_IF(!e->in[k], HY_BAD_FORMAT, err, "input %zu must not be left out", k);
    s->in[k] = hy__item_keep(e->in[k]);
  }
  for (size_t k = 0; k < s->n_out; k++)
    HY_TRY(hy__item_sequence(e->items, HY_DTYPE_NONE, &s->stacked[k], err));
  for (int64_t round = 0; round < s->n_rounds; round++) HY_TRY(round_run(e, s, round, err));
  return HY_OK;
}

static hy_status stack(hy__evaluation *e, const scan *s, size_t k, hy_error *err) {
  const hy__value *declared = &s->body->values[s->body->outputs[s->n_state + k]];
  hy_tensor like = {.dtype = declared->dtype, .rank = HY_MAX(declared->rank, 0)};
  int64_t axis, direction;
  memcpy(like.dims, declared->dims, sizeof like.dims);
  HY_FAIL_IF(!s->stacked[k]->n_list && !like.dtype, HY_UNSUPPORTED, err,
             "no round was run, and the body does not declare the type of what it stacks");
  HY_TRY(listed(e, "scan_output_axes", s->n_out, k, &axis, err));
  HY_TRY(listed(e, "scan_output_directions", s->n_out, k, &direction, err));
  hy__eval_join j = {.list = s->stacked[k]->list,
                     .n = s->stacked[k]->n_list,
                     .axis = axis,
                     .new_axis = true,
                     .reverse = direction != 0,
                     .like = &like};
  return hy__eval_concat(e, &j, &e->out[s->n_state + k], err);
}

hy_status hy__op_scan_evaluate(hy__evaluation *e, hy_error *err) {
  int64_t n_scanned = hy__node_int(e->node, "num_scan_inputs", 0);
  void *memory;
  HY_FAIL_IF(e->node->version < 9, HY_UNSUPPORTED, err,
             "at opset 8 it is not supported where shapes depend on data");
  HY_FAIL_IF(n_scanned < 1 || (uint64_t)n_scanned > e->n_in, HY_BAD_FORMAT, err,
             "num_scan_inputs is %lld of %zu inputs", (long long)n_scanned, e->n_in);
  scan s = {.n_in = (size_t)n_scanned, .n_state = e->n_in - (size_t)n_scanned};
  HY_FAIL_IF(e->n_out < s.n_state, HY_BAD_FORMAT, err, "%zu outputs for %zu states", e->n_out,
             s.n_state);
  s.n_out = e->n_out - s.n_state;
  HY_TRY(hy__eval_graph(e, "body", e->n_in, e->n_out, &s.body, err));
  size_t n = e->n_in + e->n_out + s.n_out;
  HY_TRY(hy__alloc_zero(e->items->allocator, n * sizeof(hy__item *), &memory, err));
  s.in = memory;
  s.out = s.in + e->n_in;
  s.stacked = s.out + e->n_out;
  hy_status status = rounds_run(e, &s, err);
  for (size_t k = 0; k < s.n_state && status == HY_OK; k++) e->out[k] = hy__item_keep(s.in[k]);
  for (size_t k = 0; k < s.n_out && status == HY_OK; k++) status = stack(e, &s, k, err);
  hy__item_drop_all(e->items, s.in, n);
  hy__free(e->items->allocator, memory, n * sizeof(hy__item *));
  return status;
}
