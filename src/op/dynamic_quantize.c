/* SPDX-License-Identifier: Apache-2.0 */
/* DynamicQuantizeLinear: scale and zero point from the extremes of the input, zero among them, so
 * that they span the 256 values of u8. An input of zeros alone has scale 1/255. */
#include "op/integer_product.h"

hy_status hy__op_dynamic_quantize_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(hy__op_out(p, 0, HY_U8, p->in[0].rank, p->in[0].dims, err));
  HY_TRY(hy__op_out(p, 1, HY_F32, 0, NULL, err));
  return hy__op_out(p, 2, HY_U8, 0, NULL, err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const float *x = step->in[0].data;
  const size_t n = hy__op_count_of(&step->in[0]);
  const hy__integer *kernel = step->kernels->integer;
  float scale;
  const hy__integer_end end = hy__integer_span(kernel, x, n, 1.0f, &scale);
  (void)err;
  if (step->out[0].data) kernel->quantise(x, n, &end, step->out[0].data);
  if (step->n_out > 1 && step->out[1].data) *(float *)step->out[1].data = scale;
  if (step->n_out > 2 && step->out[2].data) *(uint8_t *)step->out[2].data = (uint8_t)end.zero;
  return HY_OK;
}

hy_status hy__op_dynamic_quantize_lower(hy__op_plan *p, hy_error *err) {
  (void)err;
  p->run = run;
  return HY_OK;
}
