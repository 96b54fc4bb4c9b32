/* SPDX-License-Identifier: Apache-2.0 */
/* SplitToSequence and ConcatFromSequence. */
#include "op/evaluate.h"

#include "op/rule.h"

hy_status hy__op_sequence_join_infer(hy__op_plan *p, hy_error *err) {
  return hy__op_sequence_infer(p, err);
}

hy_status hy__op_sequence_join_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_sequence_lower(p, err);
}

static hy_status join(hy__evaluation *e, hy_error *err) {
  hy__item *list;
  HY_TRY(hy__eval_sequence(e, 0, &list, err));
  HY_FAIL_IF(!list->n_list, HY_INVALID_ARGUMENT, err, "the sequence is empty");
  HY_FAIL_IF(!hy__node_attr(e->node, "axis"), HY_BAD_FORMAT, err, "it has no axis");
  hy__eval_join j = {.list = list->list,
                     .n = list->n_list,
                     .axis = hy__node_int(e->node, "axis", 0),
                     .new_axis = hy__node_int(e->node, "new_axis", 0) != 0};
  return hy__eval_concat(e, &j, &e->out[0], err);
}

static int64_t int_at(const hy_tensor *t, size_t k) {
  return t->dtype == HY_I64 ? ((const int64_t *)t->data)[k] : ((const int32_t *)t->data)[k];
}

/* The length of part k that begins at `from`: 1, a fixed one with a short last part, or listed. */
static int64_t length_of(const hy_tensor *split, size_t k, int64_t left) {
  if (!split) return 1;
  return split->rank ? int_at(split, k) : HY_MIN(int_at(split, 0), left);
}

static hy_status split_check(const hy_tensor *split, int64_t dim, hy_error *err) {
  int64_t sum = 0;
  HY_FAIL_IF(split->dtype != HY_I64 && split->dtype != HY_I32, HY_BAD_FORMAT, err,
             "split must be i32 or i64");
  HY_FAIL_IF(split->rank > 1, HY_BAD_FORMAT, err, "split has rank %d", (int)split->rank);
  if (!split->rank) {
    HY_FAIL_IF(int_at(split, 0) < 1, HY_INVALID_ARGUMENT, err, "parts of %lld",
               (long long)int_at(split, 0));
    return HY_OK;
  }
  for (size_t k = 0; k < hy__op_count_of(split); k++) {
    int64_t n = int_at(split, k);
    HY_FAIL_IF(n < 0 || n > dim - sum, HY_INVALID_ARGUMENT, err,
               "the parts are longer than the axis of %lld", (long long)dim);
    sum += n;
  }
  HY_FAIL_IF(sum != dim, HY_INVALID_ARGUMENT, err, "the parts have %lld of the axis' %lld",
             (long long)sum, (long long)dim);
  return HY_OK;
}

static hy_status split(hy__evaluation *e, hy_error *err) {
  const hy_tensor *t, *parts = NULL;
  hy__eval_part part = {.n = 0};
  hy__item *made;
  HY_TRY(hy__eval_tensor(e, 0, &t, err));
  HY_TRY(hy__op_axis(hy__node_int(e->node, "axis", 0), t->rank, &part.axis, err));
  if (hy__eval_has(e, 1)) HY_TRY(hy__eval_tensor(e, 1, &parts, err));
  if (parts) HY_TRY(split_check(parts, t->dims[part.axis], err));
  part.t = t;
  part.drop_axis = !parts && !hy__node_int(e->node, "keepdims", 1);
  int64_t dim = t->dims[part.axis];
  size_t most = parts && parts->rank ? hy__op_count_of(parts) : SIZE_MAX;
  HY_TRY(hy__item_sequence(e->items, t->dtype, &e->out[0], err));
  for (size_t k = 0; k < most && (most != SIZE_MAX || part.from < dim); k++) {
    part.n = length_of(parts, k, dim - part.from);
    HY_TRY(hy__eval_cut(e, &part, &made, err));
    HY_TRY(hy__item_insert(e->items, e->out[0], k, made, err));
    part.from += part.n;
  }
  return HY_OK;
}

hy_status hy__op_sequence_join_evaluate(hy__evaluation *e, hy_error *err) {
  return e->node->op_type[0] == 'C' ? join(e, err) : split(e, err);
}
