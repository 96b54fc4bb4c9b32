/* SPDX-License-Identifier: Apache-2.0 */
/* What operators on values share: see evaluate.h. */
#include "op/evaluate.h"

#include "op/rule.h"

typedef struct value_row {
  const char *domain, *name;
  hy__op_evaluate_fn fn;
} value_row;

static const value_row rows[] = {
#define HY_OP_VALUE(domain, name, file) {domain, name, hy__op_##file##_evaluate},
#include "op/value.inc"
#undef HY_OP_VALUE
};

hy__op_evaluate_fn hy__op_evaluate_find(const hy__node *node) {
  for (size_t i = 0; i < HY_COUNT(rows); i++)
    if (strcmp(rows[i].name, node->op_type) == 0 && strcmp(rows[i].domain, node->domain) == 0)
      return rows[i].fn;
  return NULL;
}

hy_status hy__eval_tensor(const hy__evaluation *e, size_t k, const hy_tensor **out, hy_error *err) {
  HY_FAIL_IF(!hy__eval_has(e, k), HY_BAD_FORMAT, err, "input %zu must not be left out", k);
  HY_FAIL_IF(e->in[k]->kind != HY_VALUE_TENSOR, HY_BAD_FORMAT, err, "input %zu is %s, not a tensor",
             k, e->in[k]->kind == HY_VALUE_NONE ? "an empty optional" : "a sequence");
  *out = &e->in[k]->t;
  return HY_OK;
}

hy_status hy__eval_sequence(const hy__evaluation *e, size_t k, hy__item **out, hy_error *err) {
  HY_FAIL_IF(!hy__eval_has(e, k), HY_BAD_FORMAT, err, "input %zu must not be left out", k);
  HY_FAIL_IF(e->in[k]->kind != HY_VALUE_SEQUENCE, HY_BAD_FORMAT, err, "input %zu is no sequence",
             k);
  *out = e->in[k];
  return HY_OK;
}

hy_status hy__eval_int(const hy__evaluation *e, size_t k, int64_t *out, hy_error *err) {
  const hy_tensor *t;
  HY_TRY(hy__eval_tensor(e, k, &t, err));
  HY_FAIL_IF((t->dtype != HY_I64 && t->dtype != HY_I32) || hy__op_count_of(t) != 1, HY_BAD_FORMAT,
             err, "input %zu must be one integer", k);
  *out = t->dtype == HY_I64 ? *(const int64_t *)t->data : *(const int32_t *)t->data;
  return HY_OK;
}

hy_status hy__eval_condition(const hy__item *item, bool *out, hy_error *err) {
  HY_FAIL_IF(item->kind != HY_VALUE_TENSOR || item->t.dtype != HY_BOOL ||
                 hy__op_count_of(&item->t) != 1,
             HY_BAD_FORMAT, err, "its condition must be one bool");
  *out = *(const uint8_t *)item->t.data != 0;
  return HY_OK;
}

hy_status hy__eval_bool(const hy__evaluation *e, size_t k, bool *out, hy_error *err) {
  const hy_tensor *t;
  HY_TRY(hy__eval_tensor(e, k, &t, err));
  return hy__eval_condition(e->in[k], out, err);
}

hy_status hy__eval_scalar(hy__evaluation *e, hy_dtype dtype, int64_t value, hy__item **out,
                          hy_error *err) {
  hy_tensor type = {.dtype = dtype};
  HY_TRY(hy__item_tensor(e->items, &type, out, err));
  if (dtype == HY_BOOL)
    *(uint8_t *)(*out)->t.data = value != 0;
  else
    *(int64_t *)(*out)->t.data = value;
  return HY_OK;
}

hy_status hy__eval_graph(const hy__evaluation *e, const char *name, size_t n_in, size_t n_out,
                         const hy__graph **out, hy_error *err) {
  const hy__attr *attr = hy__node_attr(e->node, name);
  HY_FAIL_IF(!attr || attr->kind != HY__ATTR_GRAPH, HY_BAD_FORMAT, err, "it has no graph '%s'",
             name);
  *out = attr->as.graph;
  HY_FAIL_IF((*out)->n_inputs != n_in || (*out)->n_outputs != n_out, HY_BAD_FORMAT, err,
             "'%s' takes %zu values and gives %zu, the node has %zu and %zu", name,
             (*out)->n_inputs, (*out)->n_outputs, n_in, n_out);
  return HY_OK;
}

/* --- joining and cutting along an axis: a tensor is [outer, axis, inner] --- */

static void sides(const hy_tensor *t, int32_t axis, bool has_axis, size_t *outer, size_t *inner) {
  *outer = 1;
  *inner = hy_dtype_bytes(t->dtype);
  for (int32_t d = 0; d < axis; d++) *outer *= (size_t)t->dims[d];
  for (int32_t d = axis + has_axis; d < t->rank; d++) *inner *= (size_t)t->dims[d];
}

static hy_status joined_type(const hy__eval_join *join, int32_t *axis, hy_tensor *out,
                             hy_error *err) {
  const hy_tensor *first = join->n ? &join->list[0]->t : join->like;
  int32_t rank = HY_MAX(first->rank, 0) + join->new_axis;
  HY_FAIL_IF(rank > HY_MAX_RANK, HY_LIMIT, err, "rank %d; at most %d", (int)rank, (int)HY_MAX_RANK);
  HY_TRY(hy__op_axis(join->axis, rank, axis, err));
  *out = (hy_tensor){.dtype = first->dtype, .rank = rank};
  for (int32_t d = 0; d < rank; d++) {
    int32_t own = join->new_axis ? d - (d > *axis) : d;
    if (d != *axis) out->dims[d] = HY_MAX(first->dims[own], (int64_t)0);
  }
  out->dims[*axis] = join->new_axis ? (int64_t)join->n : 0;
  for (size_t k = 0; k < join->n; k++) {
    const hy_tensor *t = &join->list[k]->t;
    bool same = join->list[k]->kind == HY_VALUE_TENSOR && t->dtype == first->dtype &&
                t->rank == first->rank;
    for (int32_t d = 0; same && d < t->rank; d++)
      same = t->dims[d] == first->dims[d] || (!join->new_axis && d == *axis);
    HY_FAIL_IF(!same, HY_BAD_FORMAT, err, "values %zu and 0 do not join: their types differ", k);
    if (!join->new_axis) out->dims[*axis] += t->dims[*axis];
  }
  return HY_OK;
}

hy_status hy__eval_concat(hy__evaluation *e, const hy__eval_join *join, hy__item **out,
                          hy_error *err) {
  hy_tensor type;
  int32_t axis;
  size_t outer, inner, done = 0;
  hy__item *made;
  HY_TRY(joined_type(join, &axis, &type, err));
  HY_TRY(hy__item_tensor(e->items, &type, &made, err));
  sides(&type, axis, true, &outer, &inner);
  size_t row = inner * (size_t)type.dims[axis];
  for (size_t k = 0; k < join->n; k++) {
    const hy_tensor *t = &join->list[join->reverse ? join->n - 1 - k : k]->t;
    size_t part = inner * (join->new_axis ? 1 : (size_t)t->dims[axis]);
    for (size_t o = 0; o < outer && part; o++)
      memcpy((uint8_t *)made->t.data + o * row + done, (const uint8_t *)t->data + o * part, part);
    done += part;
  }
  *out = made;
  if (type.dtype != HY_STRING) return HY_OK;
  hy_status status = hy__item_clone(e->items, &made->t, out, err); /* texts of its own */
  hy__item_drop(e->items, made);
  return status;
}

hy_status hy__eval_cut(hy__evaluation *e, const hy__eval_part *part, hy__item **out,
                       hy_error *err) {
  const hy_tensor *t = part->t;
  hy_tensor type = {.dtype = t->dtype};
  size_t outer, inner;
  hy__item *made;
  for (int32_t d = 0; d < t->rank; d++)
    if (d != part->axis || !part->drop_axis)
      type.dims[type.rank++] = d == part->axis ? part->n : t->dims[d];
  HY_TRY(hy__item_tensor(e->items, &type, &made, err));
  sides(t, part->axis, true, &outer, &inner);
  size_t bytes = inner * (size_t)part->n, row = inner * (size_t)t->dims[part->axis];
  for (size_t o = 0; o < outer && bytes; o++)
    memcpy((uint8_t *)made->t.data + o * bytes,
           (const uint8_t *)t->data + o * row + (size_t)part->from * inner, bytes);
  *out = made;
  if (type.dtype != HY_STRING) return HY_OK;
  hy_status status = hy__item_clone(e->items, &made->t, out, err);
  hy__item_drop(e->items, made);
  return status;
}
