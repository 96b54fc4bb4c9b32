/* SPDX-License-Identifier: Apache-2.0 */
/* DepthToSpace and SpaceToDepth: a transposition of six dims, the modes DCR and CRD. */
#include <string.h>

#include "op/rule.h"

static hy_status block_of(const hy__op_plan *p, int64_t *block, bool *crd, hy_error *err) {
  static const char *const modes[] = {"DCR", "CRD", NULL};
  const hy_tensor *x = &p->in[0];
  int32_t mode;
  HY_TRY(hy__op_choice(p, "mode", modes, &mode, err));
  *crd = mode == 1;
  *block = hy__node_int(p->node, "blocksize", 0);
  HY_FAIL_IF(x->rank != 4, HY_BAD_FORMAT, err, "X has %d dims, not 4", (int)x->rank);
  HY_FAIL_IF(*block < 1 || *block > INT32_MAX, HY_BAD_FORMAT, err, "blocksize is %lld",
             (long long)*block);
  return HY_OK;
}

static bool to_space(const hy__op_plan *p) { return p->node->op_type[0] == 'D'; }

hy_status hy__op_depth_space_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int64_t dims[4], b;
  bool crd;
  HY_TRY(block_of(p, &b, &crd, err));
  memcpy(dims, x->dims, sizeof dims);
  if (to_space(p)) {
    HY_FAIL_IF(dims[1] % (b * b) != 0, HY_BAD_FORMAT, err, "%lld channels are no blocks of %lld",
               (long long)dims[1], (long long)b);
    dims[1] /= b * b;
    HY_FAIL_IF(!hy__mul_i64(dims[2], b, &dims[2]) || !hy__mul_i64(dims[3], b, &dims[3]), HY_LIMIT,
               err, "the output is too large");
  } else {
    HY_FAIL_IF(dims[2] % b != 0 || dims[3] % b != 0, HY_BAD_FORMAT, err,
               "a plane of %lld x %lld has no blocks of %lld", (long long)dims[2],
               (long long)dims[3], (long long)b);
    dims[2] /= b;
    dims[3] /= b;
    HY_FAIL_IF(!hy__mul_i64(dims[1], b * b, &dims[1]), HY_LIMIT, err, "the output is too large");
  }
  return hy__op_out(p, 0, x->dtype, 4, dims, err);
}

hy_status hy__op_depth_space_lower(hy__op_plan *p, hy_error *err) {
  static const int orders[4][6] = {{0, 3, 4, 1, 5, 2},  /* to space, DCR */
                                   {0, 1, 4, 2, 5, 3},  /* to space, CRD */
                                   {0, 3, 5, 1, 2, 4},  /* to depth, DCR */
                                   {0, 1, 3, 5, 2, 4}}; /* to depth, CRD */
  const int64_t *d = p->in[0].dims;
  int64_t b, strides[6], ordered[6];
  bool crd;
  HY_TRY(block_of(p, &b, &crd, err));
  hy_tensor whole = {.rank = 6, .dims = {d[0], d[1], d[2] / b, b, d[3] / b, b}};
  if (to_space(p) && crd)
    whole = (hy_tensor){.rank = 6, .dims = {d[0], d[1] / (b * b), b, b, d[2], d[3]}};
  else if (to_space(p))
    whole = (hy_tensor){.rank = 6, .dims = {d[0], b, b, d[1] / (b * b), d[2], d[3]}};
  const int *order = orders[(to_space(p) ? 0 : 2) + crd];
  hy_tensor view = {.rank = 6};
  hy__op_strides(&whole, strides);
  for (int i = 0; i < 6; i++) {
    view.dims[i] = whole.dims[order[i]];
    ordered[i] = strides[order[i]];
  }
  return hy__op_lower_view(p, &view, ordered, 0, err);
}
