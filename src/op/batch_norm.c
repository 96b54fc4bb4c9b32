/* SPDX-License-Identifier: Apache-2.0 */
/* BatchNormalization: per channel (dim 1; every place of it where opset 7 says spatial=0)
 * y = x * a + b. At inference a and b are worked out in double when the statistics are known at
 * planning, else at each run; in training_mode (opset 14 on) from the batch itself, whose mean and
 * variance then enter the running ones. */
#include <math.h>

#include "op/element.h"
#include "op/rule.h"

typedef struct params {
  size_t outer, channels, inner;
  double epsilon, momentum;
  bool training;
  const double *affine; /* [2][channels], NULL: at run into scratch */
} params;

static void shape_of(const hy__op_plan *p, params *q) {
  const hy_tensor *x = &p->in[0];
  const bool spatial = p->node->version >= 9 || hy__node_int(p->node, "spatial", 1) != 0;
  q->outer = (size_t)x->dims[0];
  q->channels = x->rank > 1 ? (size_t)x->dims[1] : 1;
  q->inner = 1;
  for (int32_t i = 2; i < x->rank; ++i) *(spatial ? &q->inner : &q->channels) *= (size_t)x->dims[i];
}

hy_status hy__op_batch_norm_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const bool training = p->node->version >= 14 && hy__node_int(p->node, "training_mode", 0) != 0;
  params q;
  HY_FAIL_IF(x->rank < 1, HY_BAD_FORMAT, err, "X is a scalar");
  shape_of(p, &q);
  for (size_t k = 1; k < 5; ++k) {
    HY_FAIL_IF(!hy__element_is_float(p->in[k].dtype), HY_UNSUPPORTED, err,
               "input %zu is of type %s", k, hy_dtype_name(p->in[k].dtype));
    HY_FAIL_IF(hy__op_count_of(&p->in[k]) != q.channels, HY_BAD_FORMAT, err,
               "input %zu has not one value for each of %zu channels", k, q.channels);
  }
  p->out_inplace[0] = 1;
  HY_TRY(hy__op_out_like(p, 0, x, err));
  for (size_t k = 1; k < p->n_out; ++k) {
    HY_FAIL_IF(p->out_wanted[k] && (!training || k > 2), HY_UNSUPPORTED, err,
               "output %zu belongs to training, which is done from opset 14 on", k);
    HY_TRY(hy__op_out_like(p, k, &p->in[HY_MIN(k + 2, (size_t)4)], err));
  }
  return HY_OK;
}

/* inputs: X, scale, B, mean, var. */
static void fold(const hy_tensor *in, const params *q, size_t c, const double moments[2],
                 double *affine) {
  const int64_t at = (int64_t)c;
  const double a = hy__element_real(&in[1], at) / sqrt(moments[1] + q->epsilon);
  affine[c] = a;
  affine[q->channels + c] = hy__element_real(&in[2], at) - moments[0] * a;
}

static void work_out(const hy_tensor *in, const params *q, double *affine) {
  for (size_t c = 0; c < q->channels; ++c) {
    const double moments[2] = {hy__element_real(&in[3], (int64_t)c),
                               hy__element_real(&in[4], (int64_t)c)};
    fold(in, q, c, moments, affine);
  }
}

/* Mean and variance of one channel over the batch, in two passes. */
static void measure(const hy_tensor *x, const params *q, size_t c, double moments[2]) {
  const double n = (double)(q->outer * q->inner);
  moments[0] = moments[1] = 0.0;
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t o = 0; o < q->outer; ++o) {
      const size_t first = (o * q->channels + c) * q->inner;
      for (size_t i = first; i < first + q->inner; ++i) {
        const double v = hy__element_real(x, (int64_t)i), d = v - moments[0];
        moments[pass] += pass ? d * d : v;
      }
    }
    moments[pass] /= n;
  }
}

/* The batch's own statistics, and the running ones to outputs 1 and 2. */
static void train(const hy__step *step, const params *q, double *affine) {
  for (size_t c = 0; c < q->channels; ++c) {
    double moments[2];
    measure(&step->in[0], q, c, moments);
    fold(step->in, q, c, moments, affine);
    for (size_t k = 1; k < HY_MIN(step->n_out, (size_t)3); ++k) {
      if (!step->out[k].data) continue;
      const double running = hy__element_real(&step->in[k + 2], (int64_t)c);
      hy__element_put_real(&step->out[k], (int64_t)c,
                           running * q->momentum + moments[k - 1] * (1.0 - q->momentum));
    }
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  const double *affine = q->affine;
  (void)err;
  if (!affine) {
    if (q->training)
      train(step, q, step->scratch);
    else
      work_out(step->in, q, step->scratch);
    affine = step->scratch;
  }
  for (size_t i = 0; i < q->outer * q->channels && step->out[0].data; ++i) {
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
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  shape_of(p, q);
  q->epsilon = (double)hy__node_float(p->node, "epsilon", 1e-5f);
  q->momentum = (double)hy__node_float(p->node, "momentum", 0.9f);
  q->training = p->node->version >= 14 && hy__node_int(p->node, "training_mode", 0) != 0;
  bool known = !q->training;
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
