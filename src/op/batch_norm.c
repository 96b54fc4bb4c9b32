/* SPDX-License-Identifier: Apache-2.0 */
/* BatchNormalization at inference: per channel (dim 1) y = x * a + b, a and b worked out in double
 * when the statistics are known at planning, else at each run. */
#include <math.h>

#include "op/rule.h"

typedef struct params {
  size_t outer, channels, inner;
  double epsilon;
  const double *affine; /* [2][channels], NULL: at run into scratch */
} params;

hy_status hy__op_batch_norm_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  HY_FAIL_IF(hy__node_int(p->node, "training_mode", 0) != 0, HY_UNSUPPORTED, err,
             "training_mode=1: only inference is done");
  HY_FAIL_IF(hy__node_int(p->node, "spatial", 1) != 1, HY_UNSUPPORTED, err, "spatial=0");
  HY_FAIL_IF(x->rank < 1, HY_BAD_FORMAT, err, "X is a scalar");
  const int64_t channels = x->rank > 1 ? x->dims[1] : 1;
  for (size_t k = 1; k < 5; ++k) {
    const hy_dtype d = p->in[k].dtype;
    HY_FAIL_IF(d != HY_F32 && d != HY_F64, HY_UNSUPPORTED, err, "input %zu is of type %s", k,
               hy_dtype_name(d));
    HY_FAIL_IF(hy__op_count_of(&p->in[k]) != (size_t)channels, HY_BAD_FORMAT, err,
               "input %zu has not one value for each of %lld channels", k, (long long)channels);
  }
  p->out_inplace[0] = 1;
  HY_TRY(hy__op_out_like(p, 0, x, err));
  for (size_t k = 1; k < p->n_out; ++k) {
    HY_FAIL_IF(p->out_wanted[k], HY_UNSUPPORTED, err, "output %zu belongs to training", k);
    HY_TRY(hy__op_out_like(p, k, &p->in[1], err));
  }
  return HY_OK;
}

static double at(const hy_tensor *t, size_t i) {
  return t->dtype == HY_F64 ? ((const double *)t->data)[i] : (double)((const float *)t->data)[i];
}

/* inputs: X, scale, B, mean, var. */
static void work_out(const hy_tensor *in, const params *q, double *affine) {
  for (size_t c = 0; c < q->channels; ++c) {
    const double a = at(&in[1], c) / sqrt(at(&in[4], c) + q->epsilon);
    affine[c] = a;
    affine[q->channels + c] = at(&in[2], c) - at(&in[3], c) * a;
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  const double *affine = q->affine;
  (void)err;
  if (!affine) {
    work_out(step->in, q, step->scratch);
    affine = step->scratch;
  }
  for (size_t i = 0; i < q->outer * q->channels; ++i) {
    const size_t c = i % q->channels, first = i * q->inner;
    const double a = affine[c], b = affine[q->channels + c];
    if (x->dtype == HY_F64) {
      const double *from = (const double *)x->data + first;
      double *to = (double *)step->out[0].data + first;
      for (size_t j = 0; j < q->inner; ++j) to[j] = from[j] * a + b;
    } else {
      const float *from = (const float *)x->data + first;
      float *to = (float *)step->out[0].data + first;
      for (size_t j = 0; j < q->inner; ++j) to[j] = (float)((double)from[j] * a + b);
    }
  }
  return HY_OK;
}

hy_status hy__op_batch_norm_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->outer = (size_t)x->dims[0];
  q->channels = x->rank > 1 ? (size_t)x->dims[1] : 1;
  q->inner = 1;
  for (int32_t i = 2; i < x->rank; ++i) q->inner *= (size_t)x->dims[i];
  q->epsilon = (double)hy__node_float(p->node, "epsilon", 1e-5f);
  bool known = true;
  for (size_t k = 1; k < 5; ++k) known = known && p->in[k].data;
  if (known) {
    double *affine;
    HY_TRY(hy__arena_array(p->arena, 2 * q->channels, sizeof *affine, (void **)&affine, err));
    work_out(p->in, q, affine);
    q->affine = affine;
  } else {
    p->scratch_bytes = 2 * q->channels * sizeof(double);
  }
  p->params = q;
  p->run = run;
  return HY_OK;
}
