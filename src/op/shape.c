/* SPDX-License-Identifier: Apache-2.0 */
/* Shape (with start and end) and Size: known at planning whatever the elements are. */
#include "op/rule.h"

static int64_t clamp_axis(int64_t axis, int64_t rank) {
  if (axis < 0) axis += rank;
  return HY_MIN(HY_MAX(axis, (int64_t)0), rank);
}

hy_status hy__op_shape_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0];
  void *data;
  HY_TRY(hy__arena_array(p->arena, HY_MAX_RANK, sizeof(int64_t), &data, err));
  int64_t *values = data;
  if (p->node->op_type[1] == 'i') {
    HY_TRY(hy__op_out(p, 0, HY_I64, 0, NULL, err));
    values[0] = (int64_t)hy__op_count_of(in);
  } else {
    int64_t begin = clamp_axis(hy__node_int(p->node, "start", 0), in->rank);
    int64_t end = clamp_axis(hy__node_int(p->node, "end", in->rank), in->rank);
    int64_t n = HY_MAX(end - begin, (int64_t)0);
    HY_TRY(hy__op_out(p, 0, HY_I64, 1, &n, err));
    for (int64_t i = 0; i < n; i++) values[i] = in->dims[begin + i];
  }
  p->out[0].data = data;
  return HY_OK;
}

hy_status hy__op_shape_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_identity_lower(p, err);
}
