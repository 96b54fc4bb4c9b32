/* SPDX-License-Identifier: Apache-2.0 */
/* STFT: the transforms of frames of a signal, each under a window. Step and frame length must be
 * known at planning. */
#include <string.h>

#include "op/element.h"
#include "op/fourier.h"
#include "op/rule.h"

typedef struct params {
  hy__fourier fourier; /* of a frame */
  size_t batch, length, step, frames, bins;
  bool complex;
} params;

static hy_status read(const hy__op_plan *p, params *q, int64_t *frame, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int64_t step, otherwise = x->rank > 1 ? x->dims[1] : 0;
  HY_FAIL_IF(x->rank != 3 || x->dims[2] < 1 || x->dims[2] > 2, HY_BAD_FORMAT, err,
             "the signal is not [batch, length, 1 or 2]");
  HY_FAIL_IF(hy__op_has(p, 2) && p->in[2].rank != 1, HY_BAD_FORMAT, err, "the window is no list");
  if (hy__op_has(p, 2)) otherwise = p->in[2].dims[0];
  HY_TRY(hy__op_int(p, 1, NULL, 0, &step, err));
  HY_TRY(hy__op_int(p, 3, NULL, otherwise, frame, err));
  HY_FAIL_IF(step < 1 || *frame < 1 || *frame > x->dims[1], HY_BAD_FORMAT, err,
             "frames of %lld every %lld over %lld", (long long)*frame, (long long)step,
             (long long)x->dims[1]);
  if (hy__op_has(p, 2)) {
    HY_TRY(hy__op_same_type(p, 0, 2, err));
    HY_FAIL_IF(p->in[2].dims[0] != *frame, HY_BAD_FORMAT, err,
               "a window of %lld for frames of %lld", (long long)p->in[2].dims[0],
               (long long)*frame);
  }
  const bool onesided = hy__node_int(p->node, "onesided", 1) != 0;
  *q = (params){.batch = (size_t)x->dims[0],
                .length = (size_t)x->dims[1],
                .step = (size_t)step,
                .frames = (size_t)((x->dims[1] - *frame) / step + 1),
                .bins = (size_t)(onesided ? *frame / 2 + 1 : *frame),
                .complex = x->dims[2] == 2};
  return HY_OK;
}

hy_status hy__op_stft_infer(hy__op_plan *p, hy_error *err) {
  int64_t frame;
  params q;
  HY_TRY(read(p, &q, &frame, err));
  const int64_t dims[4] = {(int64_t)q.batch, (int64_t)q.frames, (int64_t)q.bins, 2};
  return hy__op_out(p, 0, p->in[0].dtype, 4, dims, err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0];
  const size_t n = q->fourier.n, width = 1 + q->complex;
  const bool window = step->n_in > 2 && step->in[2].data;
  double *line = step->scratch;
  int64_t to = 0;
  (void)err;
  for (size_t f = 0; f < q->batch * q->frames; f++) {
    const size_t first = f / q->frames * q->length + f % q->frames * q->step;
    for (size_t i = 0; i < n; i++) {
      const int64_t at = (int64_t)((first + i) * width);
      const double w = window ? hy__element_real(&step->in[2], (int64_t)i) : 1.0;
      line[2 * i] = w * hy__element_real(x, at);
      line[2 * i + 1] = q->complex ? w * hy__element_real(x, at + 1) : 0.0;
    }
    hy__fourier_run(&q->fourier, line, line + 2 * n, false);
    for (size_t i = 0; i < 2 * q->bins; i++) hy__element_put_real(&step->out[0], to++, line[i]);
  }
  return HY_OK;
}

hy_status hy__op_stft_lower(hy__op_plan *p, hy_error *err) {
  int64_t frame;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, &frame, err));
  HY_TRY(hy__fourier_make(p->arena, (size_t)frame, &q->fourier, err));
  p->scratch_bytes = (2 * q->fourier.n + hy__fourier_scratch_n(&q->fourier)) * sizeof(double);
  p->params = q;
  p->run = run;
  return HY_OK;
}
