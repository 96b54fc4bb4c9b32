/* SPDX-License-Identifier: Apache-2.0 */
/* OneHot: indices of any number type, depth known at planning, values [off, on]. An index outside
 * [-depth, depth) gives a row of off values. */
#include "op/element.h"
#include "op/rule.h"

hy_status hy__op_one_hot_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *depth = &p->in[1], *in = &p->in[0];
  int64_t dims[HY_MAX_RANK + 1], n;
  int32_t axis;
  HY_FAIL_IF(!depth->data, HY_UNSUPPORTED, err,
             "depth is not known before the run, so the output's shape would depend on data");
  HY_FAIL_IF(hy__op_count_of(depth) != 1 || hy__op_count_of(&p->in[2]) != 2, HY_BAD_FORMAT, err,
             "depth must be one number, values two");
  HY_FAIL_IF(!(HY__OP_NUMBERS >> depth->dtype & 1), HY_UNSUPPORTED, err, "depth of type %s",
             hy_dtype_name(depth->dtype));
  n = hy__element_whole(depth, 0);
  HY_FAIL_IF(n < 0, HY_BAD_FORMAT, err, "depth is %lld", (long long)n);
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", -1), in->rank + 1, &axis, err));
  for (int32_t d = 0; d <= in->rank; d++) dims[d] = d == axis ? n : in->dims[d < axis ? d : d - 1];
  return hy__op_out(p, 0, p->in[2].dtype, in->rank + 1, dims, err);
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  int32_t axis = *(const int32_t *)s->params;
  const hy_tensor *out = &s->out[0], *in = &s->in[0];
  size_t each = hy_dtype_bytes(out->dtype), inner = 1, n = hy__op_count_of(out);
  int64_t depth = out->dims[axis];
  const uint8_t *values = s->in[2].data;
  uint8_t *to = out->data;
  for (size_t i = 0; i < n; i++) memcpy(to + i * each, values, each);
  for (int32_t d = axis + 1; d < out->rank; d++) inner *= (size_t)out->dims[d];
  size_t n_in = hy__op_count_of(in);
  for (size_t i = 0; i < n_in; i++) {
    int64_t index = hy__element_whole(in, (int64_t)i);
    if (index < -depth || index >= depth) continue;
    if (index < 0) index += depth;
    size_t at = (i / inner * (size_t)depth + (size_t)index) * inner + i % inner;
    memcpy(to + at * each, values + each, each);
  }
  return HY_OK;
}

hy_status hy__op_one_hot_lower(hy__op_plan *p, hy_error *err) {
  void *axis;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(int32_t), _Alignof(int32_t), &axis, err));
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", -1), p->in[0].rank + 1, axis, err));
  p->params = axis;
  p->run = run;
  return HY_OK;
}
