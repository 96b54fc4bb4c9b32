/* SPDX-License-Identifier: Apache-2.0 */
/* LayerNormalization over the dims from `axis` on, with the mean and the inverse deviation as
 * further outputs. Scale and bias have the shape of those dims. */
#include <math.h>

#include "op/rule.h"

typedef struct params {
  size_t rows, n;
  float epsilon;
} params;

static hy_status axis_of(const hy__op_plan *p, int32_t *out, hy_error *err) {
  return hy__op_axis(hy__node_int(p->node, "axis", -1), p->in[0].rank, out, err);
}

hy_status hy__op_layer_norm_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int32_t axis;
  HY_TRY(axis_of(p, &axis, err));
  size_t n = 1;
  for (int32_t i = axis; i < x->rank; ++i) n *= (size_t)x->dims[i];
  for (size_t k = 1; k < p->n_in; ++k) {
    if (!hy__op_has(p, k)) continue;
    HY_TRY(hy__op_same_type(p, 0, k, err));
    HY_FAIL_IF(hy__op_count_of(&p->in[k]) != n, HY_UNSUPPORTED, err,
               "scale and bias must have the %zu elements of the normalised dims", n);
  }
  HY_TRY(hy__op_out_like(p, 0, x, err));
  hy_tensor small = *x;
  for (int32_t i = axis; i < x->rank; ++i) small.dims[i] = 1;
  for (size_t k = 1; k < p->n_out; ++k)
    HY_TRY(hy__op_out(p, k, HY_F32, small.rank, small.dims, err));
  return HY_OK;
}

static void *maybe_in(const hy__step *step, size_t k) {
  return k < step->n_in ? step->in[k].data : NULL;
}

static void *maybe_out(const hy__step *step, size_t k) {
  return k < step->n_out ? step->out[k].data : NULL;
}

static hy_status run_f32(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__layer_norm_call call = {.x = step->in[0].data,
                                    .scale = maybe_in(step, 1),
                                    .bias = maybe_in(step, 2),
                                    .y = step->out[0].data,
                                    .mean_out = maybe_out(step, 1),
                                    .inv_std_out = maybe_out(step, 2),
                                    .rows = q->rows,
                                    .n = q->n,
                                    .epsilon = q->epsilon};
  (void)err;
  if (call.y) step->kernels->rows_f32->layer_norm(&call);
  return HY_OK;
}

static hy_status run_f64(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const double *scale = maybe_in(step, 1), *bias = maybe_in(step, 2);
  float *means = maybe_out(step, 1), *inverses = maybe_out(step, 2);
  (void)err;
  for (size_t row = 0; row < q->rows && step->out[0].data; ++row) {
    const double *x = (const double *)step->in[0].data + row * q->n;
    double *y = (double *)step->out[0].data + row * q->n, mean = 0.0, variance = 0.0;
    for (size_t i = 0; i < q->n; ++i) mean += x[i];
    mean /= (double)q->n;
    for (size_t i = 0; i < q->n; ++i) variance += (x[i] - mean) * (x[i] - mean);
    const double inverse = 1.0 / sqrt(variance / (double)q->n + (double)q->epsilon);
    for (size_t i = 0; i < q->n; ++i)
      y[i] = (x[i] - mean) * inverse * (scale ? scale[i] : 1.0) + (bias ? bias[i] : 0.0);
    if (means) means[row] = (float)mean;
    if (inverses) inverses[row] = (float)inverse;
  }
  return HY_OK;
}

hy_status hy__op_layer_norm_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int32_t axis;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(axis_of(p, &axis, err));
  q->n = 1;
  for (int32_t i = axis; i < x->rank; ++i) q->n *= (size_t)x->dims[i];
  q->rows = q->n ? hy__op_count_of(x) / q->n : 0;
  q->epsilon = hy__node_float(p->node, "epsilon", 1e-5f);
  p->params = q;
  p->run = x->dtype == HY_F64 ? run_f64 : run_f32;
  return HY_OK;
}
