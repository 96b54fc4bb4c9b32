/* SPDX-License-Identifier: Apache-2.0 */
/* Expand: broadcasting to dims that are known at planning. */
#include "op/rule.h"

hy_status hy__op_expand_infer(hy__op_plan *p, hy_error *err) {
  int64_t values[HY__OP_LIST], dims[HY_MAX_RANK];
  int32_t n, rank;
  HY_TRY(hy__op_ints(p, 1, NULL, values, &n, err));
  HY_FAIL_IF(n > HY_MAX_RANK, HY_LIMIT, err, "a shape of %d dims; at most %d", (int)n,
             (int)HY_MAX_RANK);
  hy_tensor wanted = {.rank = n};
  for (int32_t d = 0; d < n; d++) wanted.dims[d] = values[d];
  const hy_tensor *both[2] = {&p->in[0], &wanted};
  HY_TRY(hy__op_broadcast(both, 2, &rank, dims, err));
  HY_TRY(hy__op_out(p, 0, p->in[0].dtype, rank, dims, err));
  if (hy__op_count_of(&p->out[0]) == hy__op_count_of(&p->in[0])) p->out_alias[0] = 0;
  return HY_OK;
}

hy_status hy__op_expand_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0], *out = &p->out[0];
  int64_t own[HY_MAX_RANK], strides[HY_MAX_RANK];
  if (p->out_alias[0] == 0) return hy__op_identity_lower(p, err);
  hy__op_strides(in, own);
  for (int32_t d = 0; d < out->rank; d++) {
    int32_t from = d - (out->rank - in->rank);
    strides[d] = from < 0 || in->dims[from] == 1 ? 0 : own[from];
  }
  return hy__op_lower_strided(p, strides, 0, err);
}
