/* SPDX-License-Identifier: Apache-2.0 */
/* ConstantOfShape: dims that are known at planning, filled with one element (float32 zero by
 * default). */
#include "op/rule.h"

static const hy_tensor *element(const hy__op_plan *p) {
  const hy__attr *value = hy__node_attr(p->node, "value");
  return value && value->kind == HY__ATTR_TENSOR ? value->as.tensor : NULL;
}

hy_status hy__op_constant_of_shape_infer(hy__op_plan *p, hy_error *err) {
  int64_t dims[HY__OP_LIST];
  int32_t rank;
  HY_TRY(hy__op_ints(p, 0, NULL, dims, &rank, err));
  const hy_tensor *value = element(p);
  HY_FAIL_IF(value && hy__op_count_of(value) != 1, HY_BAD_FORMAT, err, "value must be one element");
  return hy__op_out(p, 0, value ? value->dtype : HY_F32, rank, dims, err);
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const hy_tensor *value = s->params;
  uint8_t *to = s->out[0].data;
  size_t each = hy_dtype_bytes(s->out[0].dtype), n = hy__op_count_of(&s->out[0]);
  if (!value) memset(to, 0, n * each);
  for (size_t i = 0; value && i < n; i++) memcpy(to + i * each, value->data, each);
  return HY_OK;
}

hy_status hy__op_constant_of_shape_lower(hy__op_plan *p, hy_error *err) {
  (void)err;
  p->params = (void *)(uintptr_t)element(p);
  p->run = run;
  return HY_OK;
}
