/* SPDX-License-Identifier: Apache-2.0 */
/* SwiGLU: A * sigmoid(alpha * A) * B, of equal shapes. */
#include "op/rule.h"

hy_status hy__op_swiglu_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(hy__op_same_type(p, 0, 1, err));
  HY_FAIL_IF(!hy__op_same_dims(&p->in[0], &p->in[1]), HY_BAD_FORMAT, err,
             "A and B differ in shape");
  p->out_inplace[0] = 1; /* B is read once A's share is written: only A's memory can be shared */
  return hy__op_out_like(p, 0, &p->in[0], err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const float alpha = *(const float *)step->params;
  const hy_tensor *a = &step->in[0], *b = &step->in[1], *y = &step->out[0];
  const size_t n = hy__op_count_of(y);
  (void)err;
  if (y->dtype == HY_F64)
    step->kernels->unary_f64->fn[HY__UNARY_SWISH](a->data, y->data, n, (double)alpha, 0);
  else
    step->kernels->unary_f32->fn[HY__UNARY_SWISH](a->data, y->data, n, alpha, 0);
  step->kernels->binary->fn[HY__BINARY_MUL][y->dtype](y->data, b->data, y->data, n, 1, 1);
  return HY_OK;
}

hy_status hy__op_swiglu_lower(hy__op_plan *p, hy_error *err) {
  void *alpha;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(float), _Alignof(float), &alpha, err));
  *(float *)alpha = hy__node_float(p->node, "alpha", 1.0f);
  p->params = alpha;
  p->run = run;
  return HY_OK;
}
