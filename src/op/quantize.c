/* SPDX-License-Identifier: Apache-2.0 */
/* QuantizeLinear: x / scale, rounded to even, plus the zero point, saturated; to the narrow floats
 * by Cast's rules. The quotient is one of float32, or rounded to a half type where that is the
 * scale's or the `precision`. NaN gives the least integer. */
#include "op/quantize.h"

enum { CHUNK = 256 };

typedef struct params {
  hy__quant quant;
  hy_dtype precision; /* HY_F32, HY_F16 or HY_BF16 */
  bool saturate, integers;
  float least, most;
} params;

static hy_status output_type(const hy__op_plan *p, hy_dtype *out, hy_error *err) {
  const int64_t stated = hy__node_int(p->node, "output_dtype", 0);
  *out = hy__op_has(p, 2) ? p->in[2].dtype : stated ? (hy_dtype)stated : HY_U8;
  const uint32_t types = 1u << HY_U8 | 1u << HY_I8 | 1u << HY_U16 | 1u << HY_I16 | HY__OP_FLOAT8 |
                         HY__OP_SMALL_INTS | 1u << HY_F4E2M1;
  HY_FAIL_IF(stated < 0 || stated > HY_I2 || !(types >> *out & 1), HY_UNSUPPORTED, err,
             "a quantised type of %s", hy_dtype_name(*out));
  HY_FAIL_IF(stated && stated != (int64_t)*out, HY_BAD_FORMAT, err,
             "output_dtype differs from the zero point's type %s", hy_dtype_name(*out));
  return HY_OK;
}

hy_status hy__op_quantize_infer(hy__op_plan *p, hy_error *err) {
  hy__quant q;
  hy_dtype to;
  const uint32_t scales = 1u << HY_F32 | HY__OP_HALVES | 1u << HY_I32 | 1u << HY_F8E8M0;
  HY_TRY(hy__quant_shape(p, &q, err));
  HY_TRY(output_type(p, &to, err));
  HY_FAIL_IF(!(scales >> p->in[1].dtype & 1), HY_UNSUPPORTED, err, "a scale of type %s",
             hy_dtype_name(p->in[1].dtype));
  return hy__op_out(p, 0, to, p->in[0].rank, p->in[0].dims, err);
}

/* n quotients. */
static void divide(const hy_tensor *x, size_t begin, size_t n, const float *scale, size_t step,
                   float *to) {
  if (x->dtype == HY_F32) {
    const float *from = (const float *)x->data + begin;
    if (step)
      for (size_t i = 0; i < n; i++) to[i] = from[i] / scale[i];
    else
      for (size_t i = 0; i < n; i++) to[i] = from[i] / *scale;
    return;
  }
  for (size_t i = 0; i < n; i++)
    to[i] = (float)(hy__narrow_value(x, begin + i) / (double)scale[i * step]);
}

/* Integers: the bounds are whole, so it is all one whether rounding comes before or after. */
static void finish(const params *q, const float *v, size_t n, const int32_t *zero, size_t step,
                   int32_t *to) {
  const float magic = 12582912.0f; /* 1.5 * 2^23: what is below 2^22 is rounded to even */
  for (size_t i = 0; i < n; i++) {
    const float z = (float)zero[i * step], low = q->least - z, high = q->most - z;
    float x = v[i] > low ? v[i] : low;
    x = x < high ? x : high;
    to[i] = (int32_t)((x + magic) - magic) + zero[i * step];
  }
}

static void store(hy_dtype dtype, const int32_t *v, size_t n, void *to, size_t at) {
  const uint8_t mask = dtype == HY_U4 || dtype == HY_I4   ? 15
                       : dtype == HY_U2 || dtype == HY_I2 ? 3
                                                          : 255;
  if (hy_dtype_bytes(dtype) == 2)
    for (size_t i = 0; i < n; i++) ((uint16_t *)to)[at + i] = (uint16_t)v[i];
  else
    for (size_t i = 0; i < n; i++) ((uint8_t *)to)[at + i] = (uint8_t)v[i] & mask;
}

static void chunk_run(const params *q, const hy_tensor *x, const hy_tensor *y,
                      const hy__quant_run *r, const float *scale, const int32_t *zero) {
  float v[CHUNK];
  int32_t whole[CHUNK];
  divide(x, r->begin, r->n, scale + r->first, r->step, v);
  for (size_t i = 0; i < r->n && q->precision != HY_F32; i++)
    v[i] = hy__narrow_decode(q->precision, hy__narrow_encode(q->precision, (double)v[i], false));
  if (q->integers) {
    finish(q, v, r->n, zero + r->first, r->step, whole);
    store(y->dtype, whole, r->n, y->data, r->begin);
    return;
  }
  const bool shift = y->dtype == HY_F4E2M1; /* the zero point of the float8 kinds is zero */
  for (size_t i = 0; i < r->n; i++) {
    const double u = (double)v[i] + (shift ? zero[r->first + i * r->step] : -0.0);
    ((uint8_t *)y->data)[r->begin + i] = (uint8_t)hy__narrow_encode(y->dtype, u, q->saturate);
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  const bool bytes =
      x->dtype == HY_F32 && q->precision == HY_F32 && (y->dtype == HY_U8 || y->dtype == HY_I8);
  const float *scale;
  const int32_t *zero;
  (void)err;
  hy__quant_read(step, &q->quant, &scale, &zero);
  for (size_t k = 0; k < hy__quant_n_runs(&q->quant); k++) {
    const hy__quant_run whole = hy__quant_run_at(&q->quant, k);
    if (bytes && !whole.step) {
      const hy__integer_end end = {
          .factor = scale + whole.first, .zero = zero[whole.first], .least = (int32_t)q->least};
      step->kernels->integer->quantise((const float *)x->data + whole.begin, whole.n, &end,
                                       (uint8_t *)y->data + whole.begin);
      continue;
    }
    for (size_t at = 0; at < whole.n; at += CHUNK) {
      const hy__quant_run part = {whole.begin + at, HY_MIN(whole.n - at, (size_t)CHUNK),
                                  whole.first + at * whole.step, whole.step};
      chunk_run(q, &step->in[0], &step->out[0], &part, scale, zero);
    }
  }
  return HY_OK;
}

hy_status hy__op_quantize_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  const hy_dtype type = p->out[0].dtype;
  int64_t precision = hy__node_int(p->node, "precision", 0);
  if (!precision) precision = (int64_t)p->in[1].dtype;
  q->precision = precision == HY_F16 ? HY_F16 : precision == HY_BF16 ? HY_BF16 : HY_F32;
  HY_TRY(hy__quant_shape(p, &q->quant, err));
  HY_TRY(hy__quant_lower(p, &q->quant, err));
  q->saturate = hy__node_int(p->node, "saturate", 1) != 0;
  q->integers = (HY__OP_INTS | HY__OP_SMALL_INTS) >> type & 1;
  if (q->integers) {
    int32_t least, most;
    hy__quant_range(type, &least, &most);
    q->least = (float)least;
    q->most = (float)most;
  }
  p->params = q;
  p->run = run;
  return HY_OK;
}
