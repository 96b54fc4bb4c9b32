/* SPDX-License-Identifier: Apache-2.0 */
/* DynamicQuantizeLinear: scale and zero point from the extremes of the input, zero among them, so
 * that they span the 256 values of u8. An input of zeros alone has scale 1/255. */
#include <math.h>

#include "op/rule.h"

hy_status hy__op_dynamic_quantize_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(hy__op_out(p, 0, HY_U8, p->in[0].rank, p->in[0].dims, err));
  HY_TRY(hy__op_out(p, 1, HY_F32, 0, NULL, err));
  return hy__op_out(p, 2, HY_U8, 0, NULL, err);
}

static float clamp(float v, float low, float high) {
  v = v > low ? v : low; /* NaN is low */
  return v < high ? v : high;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const float *x = step->in[0].data;
  const size_t n = hy__op_count_of(&step->in[0]);
  uint8_t *y = step->out[0].data;
  float low = 0.0f, high = 0.0f;
  (void)err;
  for (size_t i = 0; i < n; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  const float scale = (high == low ? 1.0f : high - low) / 255.0f;
  const float zero = rintf(clamp(0.0f - low / scale, 0.0f, 255.0f));
  const float magic = 12582912.0f; /* rounds to even, as in QuantizeLinear */
  for (size_t i = 0; y && i < n; i++)
    y[i] = (uint8_t)(int32_t)(((clamp(x[i] / scale, -zero, 255.0f - zero) + magic) - magic) + zero);
  if (step->n_out > 1 && step->out[1].data) *(float *)step->out[1].data = scale;
  if (step->n_out > 2 && step->out[2].data) *(uint8_t *)step->out[2].data = (uint8_t)zero;
  return HY_OK;
}

hy_status hy__op_dynamic_quantize_lower(hy__op_plan *p, hy_error *err) {
  (void)err;
  p->run = run;
  return HY_OK;
}
