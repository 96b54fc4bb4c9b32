/* SPDX-License-Identifier: Apache-2.0 */
/* Transpose: a strided copy; where only axes of one element move, the same bytes. */
#include "op/rule.h"

static hy_status read_perm(const hy__op_plan *p, int32_t *perm, hy_error *err) {
  const hy__attr *a = hy__node_attr(p->node, "perm");
  int32_t rank = p->in[0].rank;
  bool seen[HY_MAX_RANK] = {false};
  HY_FAIL_IF(a && (a->kind != HY__ATTR_INTS || a->n != (size_t)rank), HY_BAD_FORMAT, err,
             "perm must list %d axes", (int)rank);
  for (int32_t d = 0; d < rank; d++) {
    int64_t from = a ? a->as.ints[d] : rank - 1 - d;
    HY_FAIL_IF(from < 0 || from >= rank || seen[from], HY_BAD_FORMAT, err,
               "perm is not a permutation of the axes");
    seen[from] = true;
    perm[d] = (int32_t)from;
  }
  return HY_OK;
}

hy_status hy__op_transpose_infer(hy__op_plan *p, hy_error *err) {
  int32_t perm[HY_MAX_RANK], last = -1;
  int64_t dims[HY_MAX_RANK];
  const hy_tensor *in = &p->in[0];
  bool in_order = true;
  HY_TRY(read_perm(p, perm, err));
  for (int32_t d = 0; d < in->rank; d++) {
    dims[d] = in->dims[perm[d]];
    if (dims[d] == 1) continue;
    in_order = in_order && perm[d] > last;
    last = perm[d];
  }
  if (in_order) p->out_alias[0] = 0;
  return hy__op_out(p, 0, in->dtype, in->rank, dims, err);
}

hy_status hy__op_transpose_lower(hy__op_plan *p, hy_error *err) {
  int32_t perm[HY_MAX_RANK];
  int64_t strides[HY_MAX_RANK], permuted[HY_MAX_RANK];
  HY_TRY(read_perm(p, perm, err));
  if (p->out_alias[0] == 0) return hy__op_identity_lower(p, err);
  hy__op_strides(&p->in[0], strides);
  for (int32_t d = 0; d < p->in[0].rank; d++) permuted[d] = strides[perm[d]];
  return hy__op_lower_strided(p, permuted, 0, err);
}
