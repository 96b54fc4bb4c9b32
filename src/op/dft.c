/* SPDX-License-Identifier: Apache-2.0 */
/* DFT along an axis, forward and inverse, of real or complex numbers (a last dim of 1 or 2), whole
 * or onesided. The length and the axis must be known at planning. */
#include <string.h>

#include "op/element.h"
#include "op/fourier.h"
#include "op/rule.h"

typedef struct params {
  hy__fourier fourier;
  size_t outer, inner, n_in, n_out; /* elements along the axis */
  bool inverse, onesided, complex;  /* complex: the input */
} params;

static hy_status read(const hy__op_plan *p, params *q, int32_t *axis, int64_t *length,
                      hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int64_t at;
  HY_TRY(hy__op_int(p, p->node->version >= 20 ? 2 : p->n_in, p->node->version >= 20 ? NULL : "axis",
                    p->node->version >= 20 ? -2 : 1, &at, err));
  HY_TRY(hy__op_axis(at, x->rank, axis, err));
  HY_FAIL_IF(*axis == x->rank - 1 || x->dims[x->rank - 1] < 1 || x->dims[x->rank - 1] > 2,
             HY_BAD_FORMAT, err, "the last dim is %lld and the axis %d; real or pairs are expected",
             (long long)x->dims[x->rank - 1], (int)*axis);
  q->inverse = hy__node_int(p->node, "inverse", 0) != 0;
  q->onesided = hy__node_int(p->node, "onesided", 0) != 0;
  q->complex = x->dims[x->rank - 1] == 2;
  const int64_t n = x->dims[*axis], otherwise = q->inverse && q->onesided ? 2 * (n - 1) : n;
  HY_TRY(hy__op_int(p, 1, NULL, otherwise, length, err));
  HY_FAIL_IF(*length < 1, HY_BAD_FORMAT, err, "a transform of length %lld", (long long)*length);
  return HY_OK;
}

hy_status hy__op_dft_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int64_t dims[HY_MAX_RANK], length;
  int32_t axis;
  params q;
  HY_TRY(read(p, &q, &axis, &length, err));
  memcpy(dims, x->dims, sizeof dims);
  dims[axis] = q.onesided && !q.inverse ? length / 2 + 1 : length;
  dims[x->rank - 1] = q.onesided && q.inverse ? 1 : 2;
  return hy__op_out(p, 0, x->dtype, x->rank, dims, err);
}

/* A line to pairs, cut or filled with zeros; half a spectrum is completed by its mirror. */
static void load(const params *q, const hy_tensor *x, size_t o, size_t j, double *line) {
  const size_t n = q->fourier.n, width = 1 + q->complex;
  const bool mirror = q->inverse && q->onesided;
  const size_t taken = HY_MIN(q->n_in, mirror ? n / 2 + 1 : n);
  memset(line, 0, 2 * n * sizeof *line);
  for (size_t i = 0; i < taken; i++) {
    const int64_t at = (int64_t)(((o * q->n_in + i) * q->inner + j) * width);
    line[2 * i] = hy__element_real(x, at);
    line[2 * i + 1] = q->complex ? hy__element_real(x, at + 1) : 0.0;
  }
  if (!mirror) return;
  line[1] = 0.0;
  if (n % 2 == 0) line[n + 1] = 0.0;
  for (size_t i = 1; i < n - i; i++) {
    line[2 * (n - i)] = line[2 * i];
    line[2 * (n - i) + 1] = -line[2 * i + 1];
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *y = &step->out[0];
  const size_t n = q->fourier.n, width = (size_t)y->dims[y->rank - 1];
  double *line = step->scratch;
  const double by = q->inverse ? 1.0 / (double)n : 1.0;
  (void)err;
  for (size_t o = 0; o < q->outer * q->inner; o++) {
    const size_t outer = o / q->inner, j = o % q->inner;
    load(q, &step->in[0], outer, j, line);
    hy__fourier_run(&q->fourier, line, line + 2 * n, q->inverse);
    for (size_t i = 0; i < q->n_out; i++) {
      const int64_t at = (int64_t)(((outer * q->n_out + i) * q->inner + j) * width);
      for (size_t part = 0; part < width; part++)
        hy__element_put_real(y, at + (int64_t)part, line[2 * i + part] * by);
    }
  }
  return HY_OK;
}

hy_status hy__op_dft_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int64_t length;
  int32_t axis;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, &axis, &length, err));
  HY_TRY(hy__fourier_make(p->arena, (size_t)length, &q->fourier, err));
  const hy__around around = hy__op_around(x, axis);
  q->outer = around.outer;
  q->inner = around.inner / (1 + (size_t)q->complex);
  q->n_in = around.n;
  q->n_out = (size_t)p->out[0].dims[axis];
  p->scratch_bytes = (2 * q->fourier.n + hy__fourier_scratch_n(&q->fourier)) * sizeof(double);
  p->params = q;
  p->run = run;
  return HY_OK;
}
