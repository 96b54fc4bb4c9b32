/* SPDX-License-Identifier: Apache-2.0 */
/* PoolLast, which passes write for MaxPool and AveragePool: X [batch, ..., channels]; attribute
 * average (int), the window's attributes as theirs. The mean counts what is not padding, or, with
 * count_include_pad=1, all of the window. */
#include <string.h>

#include "op/last.h"

enum { WINDOW_MAX = 4096 };

typedef struct params {
  hy__last last;
  size_t batch;
  bool average, include_pad;
} params;

hy_status hy__op_pool_last_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  hy__window w;
  HY_FAIL_IF(!hy__node_attr(p->node, "kernel_shape"), HY_BAD_FORMAT, err,
             "kernel_shape is missing");
  HY_FAIL_IF(hy__node_int(p->node, "ceil_mode", 0) != 0, HY_UNSUPPORTED, err, "ceil_mode");
  HY_TRY(hy__last_window(p, NULL, &w, err));
  HY_FAIL_IF(w.n_kernel > WINDOW_MAX, HY_UNSUPPORTED, err, "a window of %zu places", w.n_kernel);
  int64_t dims[HY_MAX_RANK] = {x->dims[0]};
  memcpy(dims + 1, w.out, (size_t)w.n * sizeof *dims);
  dims[x->rank - 1] = x->dims[x->rank - 1];
  return hy__op_out(p, 0, x->dtype, x->rank, dims, err);
}

/* The offsets of the window's elements that lie inside, from the plane's first. */
static size_t choose(const params *q, const int64_t *at, ptrdiff_t *to) {
  const hy__window *w = &q->last.window;
  int64_t k[HY__WINDOW_DIMS] = {0};
  size_t n = 0;
  do {
    const int64_t offset = hy__window_offset(w, at, k, NULL);
    if (offset >= 0) to[n++] = (ptrdiff_t)offset * (ptrdiff_t)q->last.channels;
  } while (hy__window_next(w->n, w->kernel, k));
  return n;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__window *w = &q->last.window;
  const size_t n = q->last.channels;
  ptrdiff_t *taps = step->scratch;
  float *y = step->out[0].data;
  (void)err;
  for (size_t i = 0; i < q->batch; ++i) {
    int64_t at[HY__WINDOW_DIMS] = {0};
    do {
      hy__pool_call call = {
          .x = (const float *)step->in[0].data + i * w->n_in * n, .taps = taps, .y = y, .n = n};
      call.n_taps = choose(q, at, taps);
      call.scale = 1.0f / (float)(q->include_pad ? w->n_kernel : HY_MAX(call.n_taps, (size_t)1));
      if (q->average)
        step->kernels->conv_f32->pool_sum(&call);
      else
        step->kernels->conv_f32->pool_max(&call);
      y += n;
    } while (hy__window_next(w->n, w->out, at));
  }
  return HY_OK;
}

hy_status hy__op_pool_last_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  hy__window window;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(hy__last_window(p, NULL, &window, err));
  hy__last_init(&q->last, &window, (size_t)x->dims[x->rank - 1], false);
  q->batch = hy__op_count_of(&p->out[0]) ? (size_t)x->dims[0] : 0;
  q->average = hy__node_int(p->node, "average", 0) != 0;
  q->include_pad = hy__node_int(p->node, "count_include_pad", 0) != 0;
  HY_FAIL_IF(!hy__mul(window.n_kernel, sizeof(ptrdiff_t), &p->scratch_bytes), HY_LIMIT, err,
             "the window is too large");
  p->params = q;
  p->run = run;
  return HY_OK;
}
