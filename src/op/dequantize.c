/* SPDX-License-Identifier: Apache-2.0 */
/* DequantizeLinear: (x - zero point) * scale in float32; to a half type with one more rounding,
 * where that is the scale's or `output_dtype`. */
#include "op/quantize.h"

enum { CHUNK = 256 };

hy_status hy__op_dequantize_infer(hy__op_plan *p, hy_error *err) {
  hy__quant q;
  const hy_dtype scale = p->in[1].dtype;
  const uint32_t floats = 1u << HY_F32 | HY__OP_HALVES;
  int64_t to = hy__node_int(p->node, "output_dtype", 0);
  HY_TRY(hy__quant_shape(p, &q, err));
  HY_FAIL_IF(!((floats | 1u << HY_F8E8M0) >> scale & 1), HY_UNSUPPORTED, err, "a scale of type %s",
             hy_dtype_name(scale));
  if (!to) to = scale == HY_F8E8M0 ? HY_F32 : (int64_t)scale;
  HY_FAIL_IF(to < 0 || to > HY_I2 || !(floats >> to & 1), HY_UNSUPPORTED, err,
             "an output_dtype of %lld", (long long)to);
  if (hy__op_has(p, 2)) HY_TRY(hy__op_same_type(p, 0, 2, err));
  return hy__op_out(p, 0, (hy_dtype)to, p->in[0].rank, p->in[0].dims, err);
}

#define LOAD(type)                                                                                 \
  for (size_t i = 0; i < r->n; i++)                                                                \
    to[i] = (float)(((const type *)x->data)[r->begin + i] - zero[i * r->step]);                    \
  break

/* Differences in float32. */
static void subtract(const hy_tensor *x, const hy__quant_run *r, const int32_t *zero, float *to) {
  switch (x->dtype) {
  case HY_U8: LOAD(uint8_t);
  case HY_I8: LOAD(int8_t);
  case HY_U16: LOAD(uint16_t);
  case HY_I16: LOAD(int16_t);
  case HY_I32:
    for (size_t i = 0; i < r->n; i++)
      to[i] = (float)((int64_t)((const int32_t *)x->data)[r->begin + i] - zero[i * r->step]);
    break;
  default:
    for (size_t i = 0; i < r->n; i++)
      to[i] = (float)hy__narrow_value(x, r->begin + i) - (float)zero[i * r->step];
    break;
  }
}

static void chunk_run(const hy_tensor *x, const hy_tensor *y, const hy__quant_run *r,
                      const float *scale, const int32_t *zero) {
  float v[CHUNK];
  scale += r->first;
  subtract(x, r, zero + r->first, v);
  for (size_t i = 0; i < r->n; i++) v[i] *= scale[i * r->step];
  if (y->dtype == HY_F32) {
    memcpy((float *)y->data + r->begin, v, r->n * sizeof *v);
    return;
  }
  uint16_t *to = (uint16_t *)y->data + r->begin;
  for (size_t i = 0; i < r->n; i++)
    to[i] = y->dtype == HY_F16 ? hy__float_to_half(v[i]) : hy__float_to_bf16(v[i]);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const hy__quant *q = step->params;
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  const bool bytes = y->dtype == HY_F32 && (x->dtype == HY_U8 || x->dtype == HY_I8);
  const float *scale;
  const int32_t *zero;
  (void)err;
  hy__quant_read(step, q, &scale, &zero);
  for (size_t k = 0; k < hy__quant_n_runs(q); k++) {
    const hy__quant_run whole = hy__quant_run_at(q, k);
    if (bytes && !whole.step) {
      const hy__integer_end end = {.factor = scale + whole.first,
                                   .zero = zero[whole.first],
                                   .least = x->dtype == HY_I8 ? -128 : 0};
      step->kernels->integer->dequantise((const uint8_t *)x->data + whole.begin, whole.n, &end,
                                         (float *)y->data + whole.begin);
      continue;
    }
    for (size_t at = 0; at < whole.n; at += CHUNK) {
      const hy__quant_run part = {whole.begin + at, HY_MIN(whole.n - at, (size_t)CHUNK),
                                  whole.first + at * whole.step, whole.step};
      chunk_run(&step->in[0], &step->out[0], &part, scale, zero);
    }
  }
  return HY_OK;
}

hy_status hy__op_dequantize_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(hy__quant), _Alignof(hy__quant), &memory, err));
  HY_TRY(hy__quant_shape(p, memory, err));
  HY_TRY(hy__quant_lower(p, memory, err));
  p->params = memory;
  p->run = run;
  return HY_OK;
}
