/* SPDX-License-Identifier: Apache-2.0 */
/* LRN: each element over a power of the sum of squares of the channels around its own. */
#include <math.h>
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

typedef struct params {
  int64_t batch, channels, inner, before, after; /* channels before and after that are summed */
  double alpha_each, beta, bias;
} params;

hy_status hy__op_lrn_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const int64_t size = hy__node_int(p->node, "size", 0);
  HY_FAIL_IF(x->rank < 2, HY_BAD_FORMAT, err, "X has %d dims; 2 or more are expected", x->rank);
  HY_FAIL_IF(size < 1, HY_BAD_FORMAT, err, "size is %lld", (long long)size);
  return hy__op_out_like(p, 0, x, err);
}

/* The sums of squares for one channel's elements go to `sums`. */
static void sum_squares(const params *q, const hy_tensor *x, int64_t image, int64_t channel,
                        double *sums) {
  const int64_t first = HY_MAX(channel - q->before, (int64_t)0);
  const int64_t last = HY_MIN(channel + q->after, q->channels - 1);
  memset(sums, 0, (size_t)q->inner * sizeof *sums);
  for (int64_t c = first; c <= last; c++) {
    for (int64_t i = 0; i < q->inner; i++) {
      const double v = hy__element_real(x, (image * q->channels + c) * q->inner + i);
      sums[i] += v * v;
    }
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  double *sums = step->scratch;
  (void)err;
  for (int64_t plane = 0; plane < q->batch * q->channels; plane++) {
    sum_squares(q, &step->in[0], plane / q->channels, plane % q->channels, sums);
    for (int64_t i = 0; i < q->inner; i++) {
      const int64_t at = plane * q->inner + i;
      const double by = pow(q->bias + q->alpha_each * sums[i], q->beta);
      hy__element_put_real(&step->out[0], at, hy__element_real(&step->in[0], at) / by);
    }
  }
  return HY_OK;
}

hy_status hy__op_lrn_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const int64_t size = hy__node_int(p->node, "size", 1);
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  *q = (params){.batch = x->dims[0],
                .channels = x->dims[1],
                .inner = 1,
                .before = HY_MIN((size - 1) / 2, x->dims[1]),
                .after = HY_MIN(size / 2, x->dims[1]),
                .alpha_each = (double)hy__node_float(p->node, "alpha", 0.0001f) / (double)size,
                .beta = (double)hy__node_float(p->node, "beta", 0.75f),
                .bias = (double)hy__node_float(p->node, "bias", 1.0f)};
  for (int32_t d = 2; d < x->rank; ++d) q->inner *= x->dims[d];
  p->scratch_bytes = (size_t)q->inner * sizeof(double);
  p->params = q;
  p->run = run;
  return HY_OK;
}
