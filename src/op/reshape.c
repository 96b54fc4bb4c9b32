/* SPDX-License-Identifier: Apache-2.0 */
/* Reshape, Flatten, Squeeze, Unsqueeze: the same bytes under other dims. */
#include "op/rule.h"

static hy_status give(hy__op_plan *p, int32_t rank, const int64_t *dims, hy_error *err) {
  size_t n = 1;
  for (int32_t d = 0; d < rank; d++)
    HY_FAIL_IF(dims[d] < 0 || !hy__mul(n, (size_t)dims[d], &n), HY_BAD_FORMAT, err,
               "the new shape does not fit");
  HY_FAIL_IF(n != hy__op_count_of(&p->in[0]), HY_BAD_FORMAT, err,
             "%zu elements cannot take a shape of %zu", hy__op_count_of(&p->in[0]), n);
  p->out_alias[0] = 0;
  return hy__op_out(p, 0, p->in[0].dtype, rank, dims, err);
}

static hy_status reshape(hy__op_plan *p, hy_error *err) {
  int64_t dims[HY__OP_LIST];
  int32_t rank, open = -1;
  const hy_tensor *in = &p->in[0];
  bool allow_zero = hy__node_int(p->node, "allowzero", 0) != 0;
  HY_TRY(hy__op_ints(p, 1, "shape", dims, &rank, err));
  HY_FAIL_IF(rank < 0, HY_BAD_FORMAT, err, "no shape given");
  HY_FAIL_IF(rank > HY_MAX_RANK, HY_LIMIT, err, "a shape of %d dims; at most %d", (int)rank,
             (int)HY_MAX_RANK);
  size_t known = 1;
  for (int32_t d = 0; d < rank; d++) {
    if (dims[d] == 0 && !allow_zero) {
      HY_FAIL_IF(d >= in->rank, HY_BAD_FORMAT, err, "dim %d copies an axis that is not there",
                 (int)d);
      dims[d] = in->dims[d];
    }
    if (dims[d] == -1) {
      HY_FAIL_IF(open >= 0, HY_BAD_FORMAT, err, "more than one dim is -1");
      open = d;
      continue;
    }
    HY_FAIL_IF(dims[d] < 0 || !hy__mul(known, (size_t)dims[d], &known), HY_BAD_FORMAT, err,
               "dim %d is %lld", (int)d, (long long)dims[d]);
  }
  if (open >= 0) {
    size_t n = hy__op_count_of(in);
    HY_FAIL_IF(known == 0 || n % known, HY_BAD_FORMAT, err,
               "%zu elements cannot be spread over a shape of %zu times -1", n, known);
    dims[open] = (int64_t)(n / known);
  }
  return give(p, rank, dims, err);
}

static hy_status flatten(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0];
  int64_t axis = hy__node_int(p->node, "axis", 1), dims[2] = {1, 1};
  HY_FAIL_IF(axis < -in->rank || axis > in->rank, HY_BAD_FORMAT, err,
             "axis %lld is outside [-%d, %d]", (long long)axis, (int)in->rank, (int)in->rank);
  if (axis < 0) axis += in->rank;
  for (int32_t d = 0; d < in->rank; d++) dims[d >= axis] *= in->dims[d];
  return give(p, 2, dims, err);
}

static hy_status mark_axes(const int64_t *axes, int32_t n, int32_t rank, bool *marked,
                           hy_error *err) {
  for (int32_t i = 0; i < n; i++) {
    int32_t axis;
    HY_TRY(hy__op_axis(axes[i], rank, &axis, err));
    HY_FAIL_IF(marked[axis], HY_BAD_FORMAT, err, "axis %d is listed twice", (int)axis);
    marked[axis] = true;
  }
  return HY_OK;
}

static hy_status squeeze(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0];
  int64_t axes[HY__OP_LIST], dims[HY_MAX_RANK];
  int32_t n, rank = 0;
  bool marked[HY_MAX_RANK] = {false};
  HY_TRY(hy__op_ints(p, 1, "axes", axes, &n, err));
  HY_TRY(mark_axes(axes, n, in->rank, marked, err));
  for (int32_t d = 0; d < in->rank; d++) {
    HY_FAIL_IF(marked[d] && in->dims[d] != 1, HY_BAD_FORMAT, err,
               "axis %d has %lld elements, not one", (int)d, (long long)in->dims[d]);
    if (n < 0 ? in->dims[d] != 1 : !marked[d]) dims[rank++] = in->dims[d];
  }
  return give(p, rank, dims, err);
}

static hy_status unsqueeze(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0];
  int64_t axes[HY__OP_LIST], dims[HY_MAX_RANK];
  int32_t n, from = 0;
  bool marked[HY_MAX_RANK] = {false};
  HY_TRY(hy__op_ints(p, 1, "axes", axes, &n, err));
  HY_FAIL_IF(n < 0, HY_BAD_FORMAT, err, "no axes given");
  HY_FAIL_IF(in->rank + n > HY_MAX_RANK, HY_LIMIT, err, "the result would have %d dims; at most %d",
             (int)(in->rank + n), (int)HY_MAX_RANK);
  HY_TRY(mark_axes(axes, n, in->rank + n, marked, err));
  for (int32_t d = 0; d < in->rank + n; d++) dims[d] = marked[d] ? 1 : in->dims[from++];
  return give(p, in->rank + n, dims, err);
}

hy_status hy__op_reshape_infer(hy__op_plan *p, hy_error *err) {
  switch (p->node->op_type[0]) {
  case 'R': return reshape(p, err);
  case 'F': return flatten(p, err);
  case 'S': return squeeze(p, err);
  default: return unsqueeze(p, err);
  }
}

hy_status hy__op_reshape_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_identity_lower(p, err);
}
