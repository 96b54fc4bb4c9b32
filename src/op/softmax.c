/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax and LogSoftmax: along an axis from opset 13 on, over everything behind the axis before.
 * Of halves they are what ONNX's function bodies say: difference, exponential, sum and quotient (or
 * logarithm and difference) round each to the type. */
#include <math.h>
#include <string.h>

#include "op/divide.h"
#include "op/narrow.h"
#include "op/rule.h"
#include "op/softmax.h"

typedef struct params {
  bool log;
  size_t outer, n, inner; /* rows of n elements at a distance of inner */
} params;

hy_status hy__op_softmax_infer(hy__op_plan *p, hy_error *err) {
  int32_t axis;
  const int64_t otherwise = p->node->version >= 13 ? -1 : 1;
  if (p->in[0].rank > 0 && (p->node->version >= 13 || p->in[0].rank > 1))
    HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", otherwise), p->in[0].rank, &axis, err));
  p->out_inplace[0] = 1;
  return hy__op_out_like(p, 0, &p->in[0], err);
}

static void row_f64(const double *x, double *y, size_t n, bool log) {
  double max = -(double)INFINITY, sum = 0.0;
  for (size_t i = 0; i < n; ++i) max = x[i] > max ? x[i] : max;
  for (size_t i = 0; i < n; ++i) sum += hy__exp(x[i] - max);
  const double log_sum = log ? hy__ln(sum) : 0.0;
  for (size_t i = 0; i < n; ++i) y[i] = log ? (x[i] - max) - log_sum : hy__exp(x[i] - max) / sum;
}

static uint16_t half_of(hy_dtype type, double v) { return hy__narrow_encode(type, v, false); }

static double rounded(hy_dtype type, double v) {
  return (double)hy__narrow_decode(type, half_of(type, v));
}

/* y may be x. */
static void row_half(hy_dtype type, const uint16_t *x, uint16_t *y, size_t n, bool log) {
  double max = -(double)INFINITY, sum = 0.0;
  for (size_t i = 0; i < n; ++i) {
    const double v = (double)hy__narrow_decode(type, x[i]);
    max = v > max || v != v ? v : max;
  }
  for (size_t i = 0; i < n; ++i) {
    const double d = rounded(type, (double)hy__narrow_decode(type, x[i]) - max);
    const double e = rounded(type, hy__exp(d));
    y[i] = half_of(type, log ? d : e);
    sum += e;
  }
  sum = rounded(type, sum);
  if (log) sum = rounded(type, hy__ln(sum));
  for (size_t i = 0; i < n; ++i) {
    const double v = (double)hy__narrow_decode(type, y[i]);
    y[i] = half_of(type, log ? v - sum : v / sum);
  }
}

void hy__softmax_run(const hy__kernels *kernels, const hy__softmax_rows *call) {
  if (call->dtype == HY_F32) {
    if (call->log)
      kernels->rows_f32->log_softmax(call->x, call->y, call->rows, call->n);
    else
      kernels->rows_f32->softmax(call->x, call->y, call->rows, call->n);
    return;
  }
  const bool half = call->dtype != HY_F64;
  for (size_t i = 0; half && i < call->rows * call->n; i += call->n)
    row_half(call->dtype, (const uint16_t *)call->x + i, (uint16_t *)call->y + i, call->n,
             call->log);
  for (size_t i = 0; !half && i < call->rows * call->n; i += call->n)
    row_f64((const double *)call->x + i, (double *)call->y + i, call->n, call->log);
}

static void rows(const hy__step *step, const void *x, void *y, size_t n_rows) {
  const params *q = step->params;
  const hy__softmax_rows call = {step->out[0].dtype, q->log, x, y, n_rows, q->n};
  hy__softmax_run(step->kernels, &call);
}

/* A column of the inner dims goes through scratch. */
static void strided(const hy__step *step) {
  const params *q = step->params;
  const size_t each = hy_dtype_bytes(step->out[0].dtype);
  char *scratch = step->scratch;
  for (size_t i = 0; i < q->outer; ++i) {
    for (size_t j = 0; j < q->inner; ++j) {
      const size_t first = (i * q->n * q->inner + j) * each, stride = q->inner * each;
      const char *x = (const char *)step->in[0].data + first;
      char *y = (char *)step->out[0].data + first;
      for (size_t k = 0; k < q->n; ++k) memcpy(scratch + k * each, x + k * stride, each);
      rows(step, scratch, scratch, 1);
      for (size_t k = 0; k < q->n; ++k) memcpy(y + k * stride, scratch + k * each, each);
    }
  }
}

enum { WORK_EACH = 8 }; /* of an element, in multiply-adds */

static void run_rows(const hy__step *step, uint32_t worker, size_t begin, size_t end) {
  const params *q = step->params;
  const size_t first = begin * q->n * hy_dtype_bytes(step->out[0].dtype);
  (void)worker;
  rows(step, (const char *)step->in[0].data + first, (char *)step->out[0].data + first,
       end - begin);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  if (q->inner == 1)
    return hy__op_divide(step, q->outer, q->outer * q->n * WORK_EACH, run_rows, err);
  strided(step);
  return HY_OK;
}

hy_status hy__op_softmax_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const bool flat = p->node->version < 13;
  int32_t axis = 0;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  if (x->rank > 0 && (!flat || x->rank > 1))
    HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", flat ? 1 : -1), x->rank, &axis, err));
  q->log = p->node->op_type[0] == 'L';
  q->outer = q->n = q->inner = 1;
  for (int32_t i = 0; i < x->rank; ++i) {
    const size_t d = (size_t)x->dims[i];
    if (i < axis)
      q->outer *= d;
    else if (i == axis || flat)
      q->n *= d;
    else
      q->inner *= d;
  }
  p->scratch_bytes = q->inner == 1 ? 0 : q->n * hy_dtype_bytes(x->dtype);
  p->params = q;
  p->run = run;
  return HY_OK;
}
