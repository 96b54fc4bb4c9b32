/* SPDX-License-Identifier: Apache-2.0 */
/* Slice: attributes until opset 9, inputs that are known at planning since; steps of either sign.
 */
#include "op/rule.h"

typedef struct cut {
  int64_t start[HY_MAX_RANK], step[HY_MAX_RANK], dims[HY_MAX_RANK];
} cut;

static int64_t clamp(int64_t value, int64_t low, int64_t high) {
  return HY_MIN(HY_MAX(value, low), high);
}

/* One axis: both ends clamped to where the step may begin and stop. A backward step begins within
 * the axis, as ONNX says it; in Python it would begin before it and give nothing. */
static hy_status cut_axis(int64_t dim, int64_t start, int64_t end, int64_t step, int32_t axis,
                          cut *c, hy_error *err) {
  HY_FAIL_IF(step == 0 || step == INT64_MIN, HY_BAD_FORMAT, err, "the step of axis %d is %lld",
             (int)axis, (long long)step);
  if (start < 0) start = start < -dim ? -1 : start + dim;
  if (end < 0) end = end < -dim ? -1 : end + dim;
  if (step > 0) {
    start = clamp(start, 0, dim);
    end = clamp(end, 0, dim);
    c->dims[axis] = end > start ? (end - start - 1) / step + 1 : 0;
  } else {
    start = HY_MIN(HY_MAX(start, (int64_t)0), dim - 1);
    end = clamp(end, -1, dim - 1);
    c->dims[axis] = start > end ? (start - end - 1) / -step + 1 : 0;
  }
  c->start[axis] = c->dims[axis] ? start : 0;
  c->step[axis] = step;
  return HY_OK;
}

static hy_status read_cut(const hy__op_plan *p, cut *c, hy_error *err) {
  int64_t starts[HY__OP_LIST], ends[HY__OP_LIST], axes[HY__OP_LIST], steps[HY__OP_LIST];
  int32_t n, n_ends, n_axes, n_steps;
  const hy_tensor *in = &p->in[0];
  bool seen[HY_MAX_RANK] = {false};
  HY_TRY(hy__op_ints(p, 1, "starts", starts, &n, err));
  HY_TRY(hy__op_ints(p, 2, "ends", ends, &n_ends, err));
  HY_TRY(hy__op_ints(p, 3, "axes", axes, &n_axes, err));
  HY_TRY(hy__op_ints(p, 4, NULL, steps, &n_steps, err));
  HY_FAIL_IF(n < 0 || n != n_ends || (n_axes >= 0 && n_axes != n) || (n_steps >= 0 && n_steps != n),
             HY_BAD_FORMAT, err, "starts, ends, axes and steps differ in length");
  for (int32_t d = 0; d < in->rank; d++) {
    c->start[d] = 0;
    c->step[d] = 1;
    c->dims[d] = in->dims[d];
  }
  for (int32_t i = 0; i < n; i++) {
    int32_t axis;
    HY_TRY(hy__op_axis(n_axes < 0 ? i : axes[i], in->rank, &axis, err));
    HY_FAIL_IF(seen[axis], HY_BAD_FORMAT, err, "axis %d is cut twice", (int)axis);
    seen[axis] = true;
    HY_TRY(cut_axis(in->dims[axis], starts[i], ends[i], n_steps < 0 ? 1 : steps[i], axis, c, err));
  }
  return HY_OK;
}

hy_status hy__op_slice_infer(hy__op_plan *p, hy_error *err) {
  cut c;
  HY_TRY(read_cut(p, &c, err));
  HY_TRY(hy__op_out(p, 0, p->in[0].dtype, p->in[0].rank, c.dims, err));
  bool whole = hy__op_same_dims(&p->in[0], &p->out[0]);
  for (int32_t d = 0; d < p->in[0].rank; d++) whole = whole && (c.step[d] > 0 || c.dims[d] <= 1);
  if (whole) p->out_alias[0] = 0;
  return HY_OK;
}

hy_status hy__op_slice_lower(hy__op_plan *p, hy_error *err) {
  cut c;
  int64_t strides[HY_MAX_RANK], offset = 0;
  if (p->out_alias[0] == 0) return hy__op_identity_lower(p, err);
  HY_TRY(read_cut(p, &c, err));
  hy__op_strides(&p->in[0], strides);
  for (int32_t d = 0; d < p->in[0].rank; d++) {
    offset += c.start[d] * strides[d];
    strides[d] = c.dims[d] > 1 ? strides[d] * c.step[d] : 0;
  }
  return hy__op_lower_strided(p, strides, offset, err);
}
