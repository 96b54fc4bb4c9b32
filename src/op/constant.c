/* SPDX-License-Identifier: Apache-2.0 */
/* Constant in all its attribute forms: the value is known at planning, so it is never a step. */
#include "op/rule.h"

static hy_status give(hy__op_plan *p, hy_dtype dtype, int32_t rank, int64_t n, const void *data,
                      hy_error *err) {
  HY_TRY(hy__op_out(p, 0, dtype, rank, &n, err));
  p->out[0].data = (void *)(uintptr_t)data; /* the model's own memory; nobody writes to it */
  return HY_OK;
}

hy_status hy__op_constant_infer(hy__op_plan *p, hy_error *err) {
  HY_FAIL_IF(p->node->n_attrs != 1, HY_BAD_FORMAT, err, "it must have one attribute, not %zu",
             p->node->n_attrs);
  const hy__attr *a = &p->node->attrs[0];
  switch (a->kind) {
  case HY__ATTR_TENSOR:
    HY_TRY(hy__op_out_like(p, 0, a->as.tensor, err));
    p->out[0].data = a->as.tensor->data;
    return HY_OK;
  case HY__ATTR_INT: return give(p, HY_I64, 0, 1, &a->as.i, err);
  case HY__ATTR_FLOAT: return give(p, HY_F32, 0, 1, &a->as.f, err);
  case HY__ATTR_STRING: return give(p, HY_STRING, 0, 1, &a->as.s, err);
  case HY__ATTR_INTS: return give(p, HY_I64, 1, (int64_t)a->n, a->as.ints, err);
  case HY__ATTR_FLOATS: return give(p, HY_F32, 1, (int64_t)a->n, a->as.floats, err);
  case HY__ATTR_STRINGS: return give(p, HY_STRING, 1, (int64_t)a->n, a->as.strings, err);
  default: HY_FAIL(HY_UNSUPPORTED, err, "attribute %s is not supported", a->name);
  }
}

hy_status hy__op_constant_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_identity_lower(p, err);
}
