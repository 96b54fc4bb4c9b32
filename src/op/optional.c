/* SPDX-License-Identifier: Apache-2.0 */
/* Optional, OptionalHasElement, OptionalGetElement: an optional that has a value is that value. */
#include "op/evaluate.h"

#include "op/rule.h"

hy_status hy__op_optional_infer(hy__op_plan *p, hy_error *err) {
  return hy__op_sequence_infer(p, err);
}

hy_status hy__op_optional_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_sequence_lower(p, err);
}

hy_status hy__op_optional_evaluate(hy__evaluation *e, hy_error *err) {
  bool has = hy__eval_has(e, 0) && e->in[0]->kind != HY_VALUE_NONE;
  const char *name = e->node->op_type;
  if (strcmp(name, "OptionalHasElement") == 0)
    return hy__eval_scalar(e, HY_BOOL, has, &e->out[0], err);
  if (strcmp(name, "OptionalGetElement") == 0)
    HY_FAIL_IF(!has, HY_INVALID_ARGUMENT, err, "the optional has no element");
  if (!has) return hy__item_none(e->items, &e->out[0], err);
  e->out[0] = hy__item_keep(e->in[0]);
  return HY_OK;
}
