/* SPDX-License-Identifier: Apache-2.0 */
/* EyeLike: a matrix of its input's shape with ones along a diagonal. */
#include <string.h>

#include "op/element.h"
#include "op/narrow.h"

hy_status hy__op_eye_like_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const int64_t dtype = hy__node_int(p->node, "dtype", x->dtype);
  HY_FAIL_IF(x->rank != 2, HY_BAD_FORMAT, err, "the input has %d dims, not 2", (int)x->rank);
  HY_FAIL_IF(dtype < 0 || dtype > 31 ||
                 !((HY__OP_NUMBERS | HY__OP_HALVES | HY__OP_BOOLS) >> dtype & 1),
             HY_UNSUPPORTED, err, "dtype %lld", (long long)dtype);
  return hy__op_out(p, 0, (hy_dtype)dtype, 2, x->dims, err);
}

static void put_one(const hy_tensor *y, int64_t at) {
  if (y->dtype == HY_F16 || y->dtype == HY_BF16)
    ((uint16_t *)y->data)[at] = hy__narrow_encode(y->dtype, 1.0, false);
  else
    hy__element_put_whole(y, at, 1);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const int64_t k = *(const int64_t *)step->params;
  const hy_tensor *y = &step->out[0];
  (void)err;
  memset(y->data, 0, hy__op_bytes_of(y));
  for (int64_t row = 0; row < y->dims[0]; row++)
    if (k < y->dims[1] && row + k >= 0 && row + k < y->dims[1])
      put_one(y, row * y->dims[1] + row + k);
  return HY_OK;
}

hy_status hy__op_eye_like_lower(hy__op_plan *p, hy_error *err) {
  const int64_t k = hy__node_int(p->node, "k", 0);
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(int64_t), _Alignof(int64_t), &memory, err));
  *(int64_t *)memory = HY_MAX(HY_MIN(k, p->in[0].dims[1]), -p->in[0].dims[0]);
  p->params = memory;
  p->run = run;
  return HY_OK;
}
