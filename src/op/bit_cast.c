/* SPDX-License-Identifier: Apache-2.0 */
/* BitCast: the same bytes as elements of another type of the same width. */
#include "op/rule.h"

hy_status hy__op_bit_cast_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const int64_t to = hy__node_int(p->node, "to", 0);
  HY_FAIL_IF(to < 1 || to > 31 || !(HY__OP_ALL >> to & 1) || to == HY_STRING, HY_UNSUPPORTED, err,
             "a bit cast to type %lld", (long long)to);
  HY_FAIL_IF(hy_dtype_bytes((hy_dtype)to) != hy_dtype_bytes(x->dtype), HY_BAD_FORMAT, err,
             "%s and %s differ in width", hy_dtype_name(x->dtype), hy_dtype_name((hy_dtype)to));
  p->out_alias[0] = 0;
  return hy__op_out(p, 0, (hy_dtype)to, x->rank, x->dims, err);
}

hy_status hy__op_bit_cast_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_identity_lower(p, err);
}
