/* SPDX-License-Identifier: Apache-2.0 */
/* SequenceConstruct, SequenceEmpty, SequenceInsert, SequenceErase, SequenceAt, SequenceLength.
 * Elements are shared, not copied; an Insert or Erase on a sequence that nobody else holds changes
 * it in place, so that a Loop that builds one takes linear time. */
#include "op/evaluate.h"

#include "op/rule.h"

static const char reason[] =
    "it works on sequences or optionals, which no plan holds: the graph is evaluated";

hy_status hy__op_sequence_infer(hy__op_plan *p, hy_error *err) {
  (void)p;
  HY_FAIL(HY_UNSUPPORTED, err, "%s", reason);
}

hy_status hy__op_sequence_lower(hy__op_plan *p, hy_error *err) {
  (void)p;
  HY_FAIL(HY_UNSUPPORTED, err, "%s", reason);
}

static hy_status construct(hy__evaluation *e, hy_error *err) {
  HY_TRY(hy__item_sequence(e->items, HY_DTYPE_NONE, &e->out[0], err));
  for (size_t k = 0; k < e->n_in; k++) {
    const hy_tensor *t;
    HY_TRY(hy__eval_tensor(e, k, &t, err));
    HY_FAIL_IF(k && t->dtype != e->out[0]->t.dtype, HY_BAD_FORMAT, err,
               "inputs 0 and %zu must have one type", k);
    HY_TRY(hy__item_insert(e->items, e->out[0], k, hy__item_keep(e->in[k]), err));
  }
  return HY_OK;
}

/* A sequence that may be changed, holding what input 0 holds. */
static hy_status changeable(hy__evaluation *e, hy__item **out, hy_error *err) {
  hy__item *from;
  HY_TRY(hy__eval_sequence(e, 0, &from, err));
  if (e->in_dies[0] && from->n_refs == 1) {
    *out = e->out[0] = hy__item_keep(from);
    return HY_OK;
  }
  HY_TRY(hy__item_sequence(e->items, from->t.dtype, &e->out[0], err));
  *out = e->out[0];
  for (size_t k = 0; k < from->n_list; k++)
    HY_TRY(hy__item_insert(e->items, *out, k, hy__item_keep(from->list[k]), err));
  return HY_OK;
}

/* Position k of the inputs within [-n, n - 1 + beyond], or `otherwise` where it is left out. */
static hy_status position(const hy__evaluation *e, size_t k, size_t n, bool beyond, size_t *out,
                          hy_error *err) {
  int64_t at, most = (int64_t)n + beyond;
  if (!hy__eval_has(e, k)) {
    *out = beyond ? n : n - 1;
    return HY_OK;
  }
  HY_TRY(hy__eval_int(e, k, &at, err));
  HY_FAIL_IF(at < -(int64_t)n || at >= most, HY_INVALID_ARGUMENT, err,
             "position %lld of a sequence of %zu", (long long)at, n);
  *out = (size_t)(at < 0 ? at + (int64_t)n : at);
  return HY_OK;
}

static hy_status insert(hy__evaluation *e, hy_error *err) {
  hy__item *list;
  const hy_tensor *t;
  size_t at;
  HY_TRY(hy__eval_sequence(e, 0, &list, err));
  HY_TRY(hy__eval_tensor(e, 1, &t, err));
  HY_FAIL_IF(list->t.dtype != HY_DTYPE_NONE && list->t.dtype != t->dtype, HY_BAD_FORMAT, err,
             "a tensor of %s does not go into a sequence of %s", hy_dtype_name(t->dtype),
             hy_dtype_name(list->t.dtype));
  HY_TRY(position(e, 2, list->n_list, true, &at, err));
  HY_TRY(changeable(e, &list, err));
  return hy__item_insert(e->items, list, at, hy__item_keep(e->in[1]), err);
}

static hy_status erase(hy__evaluation *e, hy_error *err) {
  hy__item *list;
  size_t at;
  HY_TRY(hy__eval_sequence(e, 0, &list, err));
  HY_FAIL_IF(!list->n_list, HY_INVALID_ARGUMENT, err, "the sequence is empty");
  HY_TRY(position(e, 1, list->n_list, false, &at, err));
  HY_TRY(changeable(e, &list, err));
  hy__item_drop(e->items, list->list[at]);
  list->n_list--;
  memmove(list->list + at, list->list + at + 1, (list->n_list - at) * sizeof(hy__item *));
  return HY_OK;
}

static hy_status element(hy__evaluation *e, hy_error *err) {
  hy__item *list;
  size_t at;
  HY_TRY(hy__eval_sequence(e, 0, &list, err));
  HY_FAIL_IF(!list->n_list, HY_INVALID_ARGUMENT, err, "the sequence is empty");
  HY_TRY(position(e, 1, list->n_list, false, &at, err));
  e->out[0] = hy__item_keep(list->list[at]);
  return HY_OK;
}

hy_status hy__op_sequence_evaluate(hy__evaluation *e, hy_error *err) {
  const char *name = e->node->op_type + sizeof "Sequence" - 1;
  hy__item *list;
  if (strcmp(name, "Construct") == 0) return construct(e, err);
  if (strcmp(name, "Empty") == 0)
    return hy__item_sequence(e->items, (hy_dtype)hy__node_int(e->node, "dtype", HY_F32), &e->out[0],
                             err);
  if (strcmp(name, "Insert") == 0) return insert(e, err);
  if (strcmp(name, "Erase") == 0) return erase(e, err);
  if (strcmp(name, "At") == 0) return element(e, err);
  HY_TRY(hy__eval_sequence(e, 0, &list, err));
  return hy__eval_scalar(e, HY_I64, (int64_t)list->n_list, &e->out[0], err);
}
