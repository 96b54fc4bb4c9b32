/* SPDX-License-Identifier: Apache-2.0 */
/* Scan evaluated, where its body's shapes depend on data inside: slices in, slices collected,
 * joined at the end. Opset 8 goes through the rows of a batch one by one, and joins them. */
#include "op/evaluate.h"

#include "op/rule.h"

typedef struct scan {
  const hy__graph *body;
  size_t n_state, n_in, n_out;
  int64_t n_rounds, n_own; /* of the sequence; of the row at hand, from whose end it is reversed */
  bool batched;          /* opset 8: lengths in front of the inputs, a batch in front of all dims */
  hy__item *const *from; /* states, scanned inputs: the node's, or a row's */
  hy__item **in, **out, **stacked;
  hy__item **row, **rows; /* opset 8: the row's inputs; per output a list of the rows' */
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
  const hy__item *item = s->from[s->n_state + j];
  HY_FAIL_IF(!item || item->kind != HY_VALUE_TENSOR, HY_BAD_FORMAT, err,
             "scanned input %zu is not a tensor", j);
  part.t = &item->t;
  HY_TRY(listed(e, "scan_input_axes", s->n_in, j, &axis, err));
  HY_TRY(
      listed(e, s->batched ? "directions" : "scan_input_directions", s->n_in, j, &direction, err));
  HY_TRY(hy__op_axis(axis, part.t->rank, &part.axis, err));
  int64_t dim = part.t->dims[part.axis];
  if (round < 0) { /* before the first: how many there are */
    HY_FAIL_IF(j && dim != s->n_rounds, HY_BAD_FORMAT, err,
               "scanned inputs have %lld and %lld slices", (long long)s->n_rounds, (long long)dim);
    s->n_rounds = dim;
    return HY_OK;
  }
  if (direction) part.from = s->n_own - 1 - round;
  return hy__eval_cut(e, &part, &s->in[s->n_state + j], err);
}

static hy_status round_run(hy__evaluation *e, scan *s, int64_t round, hy_error *err) {
  for (size_t j = 0; j < s->n_in; j++) HY_TRY(slice_in(e, s, j, round, err));
  hy_status status = e->run_graph(e->ctx, s->body, s->in, s->out, err);
  memset(s->in, 0, (s->n_state + s->n_in) * sizeof *s->in); /* the graph took them */
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

/* most: of the rounds; -1: all. */
static hy_status rounds_run(hy__evaluation *e, scan *s, int64_t most, hy_error *err) {
  for (size_t j = 0; j < s->n_in; j++) HY_TRY(slice_in(e, s, j, -1, err));
  for (size_t k = 0; k < s->n_state; k++) {
    HY_FAIL_IF(!s->from[k], HY_BAD_FORMAT, err, "input %zu must not be left out", k);
    s->in[k] = hy__item_keep(s->from[k]);
  }
  for (size_t k = 0; k < s->n_out; k++)
    HY_TRY(hy__item_sequence(e->items, HY_DTYPE_NONE, &s->stacked[k], err));
  HY_FAIL_IF(most > s->n_rounds, HY_INVALID_ARGUMENT, err,
             "sequence_lens has %lld for a sequence of %lld", (long long)most,
             (long long)s->n_rounds);
  s->n_own = most < 0 ? s->n_rounds : most;
  for (int64_t round = 0; round < s->n_own; round++) HY_TRY(round_run(e, s, round, err));
  return HY_OK;
}

static hy_status stack(hy__evaluation *e, const scan *s, size_t k, hy__item **out, hy_error *err) {
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
  return hy__eval_concat(e, &j, out, err);
}

/* --- opset 8 --- */

/* What a row of the batch is made of, and how many rounds it has. */
static hy_status row_cut(hy__evaluation *e, scan *s, int64_t row, int64_t *n_batch, int64_t *len,
                         hy_error *err) {
  const hy_tensor *lens;
  for (size_t k = 0; k < s->n_state + s->n_in; k++) {
    hy__eval_part part = {.from = row, .n = 1, .drop_axis = true};
    HY_TRY(hy__eval_tensor(e, 1 + k, &part.t, err));
    HY_FAIL_IF(part.t->rank < 1 || (k && part.t->dims[0] != *n_batch), HY_BAD_FORMAT, err,
               "input %zu has another batch than the others", 1 + k);
    *n_batch = part.t->dims[0];
    if (row < *n_batch) HY_TRY(hy__eval_cut(e, &part, &s->row[k], err));
  }
  *len = -1;
  if (!hy__eval_has(e, 0) || row >= *n_batch) return HY_OK;
  HY_TRY(hy__eval_tensor(e, 0, &lens, err));
  HY_FAIL_IF(lens->dtype != HY_I64 || lens->rank != 1 || lens->dims[0] != *n_batch, HY_BAD_FORMAT,
             err, "sequence_lens must be one i64 a row");
  *len = ((const int64_t *)lens->data)[row];
  HY_FAIL_IF(*len < 0, HY_INVALID_ARGUMENT, err, "sequence_lens has %lld", (long long)*len);
  return HY_OK;
}

/* Zeros where the row has fewer rounds than the longest. */
static hy_status fill(hy__evaluation *e, const scan *s, size_t k, hy_error *err) {
  hy__item *list = s->stacked[k], *zeros;
  HY_FAIL_IF(!list->n_list, HY_UNSUPPORTED, err, "a row of no rounds, where shapes depend on data");
  if ((int64_t)list->n_list == s->n_rounds) return HY_OK;
  const hy_tensor type = list->list[0]->t;
  HY_TRY(hy__item_tensor(e->items, &type, &zeros, err));
  memset(zeros->t.data, 0, hy__op_bytes_of(&type));
  hy_status status = HY_OK;
  while (status == HY_OK && (int64_t)list->n_list < s->n_rounds)
    status = hy__item_insert(e->items, list, list->n_list, hy__item_keep(zeros), err);
  hy__item_drop(e->items, zeros);
  return status;
}

static hy_status row_run(hy__evaluation *e, scan *s, int64_t len, hy_error *err) {
  HY_TRY(rounds_run(e, s, len, err));
  for (size_t k = 0; k < s->n_state + s->n_out; k++) {
    hy__item *made = NULL;
    if (k < s->n_state) {
      made = hy__item_keep(s->in[k]);
    } else {
      HY_TRY(fill(e, s, k - s->n_state, err));
      HY_TRY(stack(e, s, k - s->n_state, &made, err));
    }
    HY_TRY(hy__item_insert(e->items, s->rows[k], s->rows[k]->n_list, made, err));
  }
  hy__item_drop_all(e->items, s->in, s->n_state + s->n_in);
  hy__item_drop_all(e->items, s->stacked, s->n_out);
  hy__item_drop_all(e->items, s->row, s->n_state + s->n_in);
  return HY_OK;
}

static hy_status batch_run(hy__evaluation *e, scan *s, hy_error *err) {
  int64_t n_batch = 0, len;
  s->from = s->row;
  for (size_t k = 0; k < s->n_state + s->n_out; k++)
    HY_TRY(hy__item_sequence(e->items, HY_DTYPE_NONE, &s->rows[k], err));
  for (int64_t row = 0; row == 0 || row < n_batch; row++) {
    HY_TRY(row_cut(e, s, row, &n_batch, &len, err));
    HY_FAIL_IF(!n_batch, HY_UNSUPPORTED, err, "a batch of none, where shapes depend on data");
    HY_TRY(row_run(e, s, len, err));
  }
  for (size_t k = 0; k < s->n_state + s->n_out; k++) {
    const hy__eval_join j = {.list = s->rows[k]->list, .n = s->rows[k]->n_list, .new_axis = true};
    HY_TRY(hy__eval_concat(e, &j, &e->out[k], err));
  }
  return HY_OK;
}

static hy_status whole_run(hy__evaluation *e, scan *s, hy_error *err) {
  s->from = e->in;
  HY_TRY(rounds_run(e, s, -1, err));
  for (size_t k = 0; k < s->n_state; k++) e->out[k] = hy__item_keep(s->in[k]);
  for (size_t k = 0; k < s->n_out; k++) HY_TRY(stack(e, s, k, &e->out[s->n_state + k], err));
  return HY_OK;
}

hy_status hy__op_scan_evaluate(hy__evaluation *e, hy_error *err) {
  const int64_t n_scanned = hy__node_int(e->node, "num_scan_inputs", 0);
  scan s = {.batched = e->node->version < 9};
  void *memory;
  HY_FAIL_IF(n_scanned < 1 || e->n_in < s.batched || (uint64_t)n_scanned > e->n_in - s.batched,
             HY_BAD_FORMAT, err, "num_scan_inputs is %lld of %zu inputs", (long long)n_scanned,
             e->n_in);
  const size_t n_in = e->n_in - s.batched;
  s.n_in = (size_t)n_scanned;
  s.n_state = n_in - s.n_in;
  HY_FAIL_IF(e->n_out < s.n_state, HY_BAD_FORMAT, err, "%zu outputs for %zu states", e->n_out,
             s.n_state);
  s.n_out = e->n_out - s.n_state;
  HY_TRY(hy__eval_graph(e, "body", n_in, e->n_out, &s.body, err));
  const size_t n = 2 * n_in + 2 * e->n_out + s.n_out;
  HY_TRY(hy__alloc_zero(e->items->allocator, n * sizeof(hy__item *), &memory, err));
  s.in = memory;
  s.out = s.in + n_in;
  s.stacked = s.out + e->n_out;
  s.row = s.stacked + s.n_out;
  s.rows = s.row + n_in;
  const hy_status status = s.batched ? batch_run(e, &s, err) : whole_run(e, &s, err);
  hy__item_drop_all(e->items, s.in, n);
  hy__free(e->items->allocator, memory, n * sizeof(hy__item *));
  return status;
}
