/* SPDX-License-Identifier: Apache-2.0 */
/* DeformConv over planes: a convolution whose taps are moved by offsets, read between elements
 * (zero outside), and weighed by a mask. Sums in double; the generic path. */
#include <math.h>
#include <string.h>

#include "op/element.h"
#include "op/window.h"

enum { X, W, OFFSET, B, MASK };

typedef struct params {
  hy__window window;
  int64_t batch, groups, offset_groups, in_channels, out_channels;
} params;

static hy_status read(const hy__op_plan *p, params *q, hy_error *err) {
  const hy_tensor *x = &p->in[X], *w = &p->in[W];
  HY_FAIL_IF(x->rank != 4 || w->rank != 4, HY_UNSUPPORTED, err,
             "X has %d dims and W %d; planes are done", (int)x->rank, (int)w->rank);
  HY_TRY(hy__window_read(p, w->dims + 2, &q->window, err));
  q->batch = x->dims[0];
  q->in_channels = x->dims[1];
  q->out_channels = w->dims[0];
  q->groups = hy__node_int(p->node, "group", 1);
  q->offset_groups = hy__node_int(p->node, "offset_group", 1);
  HY_FAIL_IF(q->groups < 1 || q->offset_groups < 1 || q->in_channels % q->offset_groups != 0 ||
                 w->dims[0] % q->groups != 0 || w->dims[1] * q->groups != q->in_channels,
             HY_BAD_FORMAT, err, "%lld and %lld groups of %lld channels", (long long)q->groups,
             (long long)q->offset_groups, (long long)q->in_channels);
  return HY_OK;
}

static hy_status check(const hy__op_plan *p, const params *q, size_t k, int64_t channels,
                       hy_error *err) {
  if (!hy__op_has(p, k)) return HY_OK;
  const hy_tensor expected = {.rank = 4,
                              .dims = {q->batch, channels, q->window.out[0], q->window.out[1]}};
  HY_TRY(hy__op_same_type(p, 0, k, err));
  HY_FAIL_IF(!hy__op_same_dims(&p->in[k], &expected), HY_BAD_FORMAT, err,
             "input %zu is not [%lld, %lld, %lld, %lld]", k, (long long)q->batch,
             (long long)channels, (long long)q->window.out[0], (long long)q->window.out[1]);
  return HY_OK;
}

hy_status hy__op_deform_conv_infer(hy__op_plan *p, hy_error *err) {
  params q;
  HY_TRY(read(p, &q, err));
  const int64_t taps = q.offset_groups * (int64_t)q.window.n_kernel;
  HY_TRY(hy__op_same_type(p, 0, W, err));
  HY_TRY(check(p, &q, OFFSET, 2 * taps, err));
  HY_TRY(check(p, &q, MASK, taps, err));
  if (hy__op_has(p, B)) {
    HY_TRY(hy__op_same_type(p, 0, B, err));
    HY_FAIL_IF(hy__op_count_of(&p->in[B]) != (size_t)q.out_channels, HY_BAD_FORMAT, err,
               "B has not one value for each of %lld channels", (long long)q.out_channels);
  }
  const int64_t dims[4] = {q.batch, q.out_channels, q.window.out[0], q.window.out[1]};
  return hy__op_out(p, 0, p->in[X].dtype, 4, dims, err);
}

/* The plane between its elements. */
static double between(const params *q, const hy_tensor *x, int64_t plane, double row,
                      double column) {
  const int64_t height = q->window.in[0], width = q->window.in[1];
  if (!(row > -1.0 && row < (double)height && column > -1.0 && column < (double)width)) return 0.0;
  const double top = floor(row), left = floor(column);
  double sum = 0.0;
  for (int i = 0; i < 4; i++) {
    const int64_t r = (int64_t)top + i / 2, c = (int64_t)left + i % 2;
    if (r < 0 || r >= height || c < 0 || c >= width) continue;
    const double down = i / 2 ? row - top : 1.0 - (row - top);
    const double along = i % 2 ? column - left : 1.0 - (column - left);
    sum += down * along * hy__element_real(x, plane + r * width + c);
  }
  return sum;
}

/* The taps of one place and all input channels go to values [in_channels][kernel]. */
static void gather(const hy__step *step, int64_t b, const int64_t at[2], double *values) {
  const params *q = step->params;
  const hy__window *w = &q->window;
  const int64_t kernel = (int64_t)w->n_kernel, places = (int64_t)w->n_out;
  const int64_t place = at[0] * w->out[1] + at[1];
  const bool mask = step->n_in > MASK && step->in[MASK].data;
  for (int64_t c = 0; c < q->in_channels; c++) {
    const int64_t group = b * q->offset_groups + c / (q->in_channels / q->offset_groups);
    const int64_t plane = (b * q->in_channels + c) * (int64_t)w->n_in;
    for (int64_t k = 0; k < kernel; k++) {
      const int64_t tap = group * kernel + k;
      const int64_t down = at[0] * w->stride[0] - w->before[0] + k / w->kernel[1] * w->dilation[0];
      const int64_t along = at[1] * w->stride[1] - w->before[1] + k % w->kernel[1] * w->dilation[1];
      const double row =
          (double)down + hy__element_real(&step->in[OFFSET], 2 * tap * places + place);
      const double column =
          (double)along + hy__element_real(&step->in[OFFSET], (2 * tap + 1) * places + place);
      const double by = mask ? hy__element_real(&step->in[MASK], tap * places + place) : 1.0;
      values[c * kernel + k] = by * between(q, &step->in[X], plane, row, column);
    }
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__window *w = &q->window;
  const int64_t in_each = q->in_channels / q->groups, out_each = q->out_channels / q->groups,
                n = in_each * (int64_t)w->n_kernel, places = (int64_t)w->n_out;
  const bool bias = step->n_in > B && step->in[B].data;
  double *values = step->scratch;
  (void)err;
  for (int64_t i = 0; i < q->batch * places; i++) {
    const int64_t b = i / places, place = i % places;
    const int64_t at[2] = {place / w->out[1], place % w->out[1]};
    gather(step, b, at, values);
    for (int64_t o = 0; o < q->out_channels; o++) {
      const double *part = values + o / out_each * n;
      double sum = bias ? hy__element_real(&step->in[B], o) : 0.0;
      for (int64_t k = 0; k < n; k++) sum += part[k] * hy__element_real(&step->in[W], o * n + k);
      hy__element_put_real(&step->out[0], (b * q->out_channels + o) * places + place, sum);
    }
  }
  return HY_OK;
}

hy_status hy__op_deform_conv_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  size_t n;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, err));
  HY_FAIL_IF(!hy__mul((size_t)q->in_channels, q->window.n_kernel, &n) ||
                 !hy__mul(n, sizeof(double), &p->scratch_bytes),
             HY_LIMIT, err, "the kernel is too large");
  p->params = q;
  p->run = run;
  return HY_OK;
}
