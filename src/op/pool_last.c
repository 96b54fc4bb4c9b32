/* SPDX-License-Identifier: Apache-2.0 */
/* PoolLast, which passes write for MaxPool and AveragePool: X [batch, ..., channels]; attribute
 * average (int), the window's attributes as theirs. The mean counts what is not padding, or, with
 * count_include_pad=1, all of the window. */
#include <string.h>

#include "op/divide.h"
#include "op/last.h"

enum { WINDOW_MAX = 4096 };

typedef struct params {
  hy__last last;
  size_t batch;
  bool average, include_pad;
  const ptrdiff_t *taps; /* where no window meets padding */
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

/* The first element of the window at the first place of a line, where none meets padding. */
static size_t first_of(const params *q, const int64_t *at) {
  const hy__window *w = &q->last.window;
  int64_t offset = 0;
  for (int32_t d = 0; d < w->n - 1; ++d)
    offset += at[d] * w->stride[d] * hy__last_stride(&q->last, d);
  return (size_t)offset;
}

static void pool(const hy__step *step, const hy__pool_call *call) {
  const params *q = step->params;
  if (q->average)
    step->kernels->conv_f32->pool_sum(call);
  else
    step->kernels->conv_f32->pool_max(call);
}

/* Lines of windows that lie inside. */
static void run_lines(const hy__step *step, const float *x, hy__pool_call *call) {
  const params *q = step->params;
  const hy__window *w = &q->last.window;
  int64_t at[HY__WINDOW_DIMS] = {0};
  call->m = (size_t)w->out[w->n - 1];
  call->x_ld = (size_t)w->stride[w->n - 1] * call->n;
  call->taps = q->taps;
  do {
    call->x = x + first_of(q, at);
    pool(step, call);
    call->y += call->m * call->n;
  } while (hy__window_next(w->n - 1, w->out, at));
}

/* Windows one by one, of which some places are padding. */
static void run_places(const hy__step *step, const float *x, ptrdiff_t *taps, hy__pool_call *call) {
  const params *q = step->params;
  const hy__window *w = &q->last.window;
  int64_t at[HY__WINDOW_DIMS] = {0};
  call->m = 1;
  call->x = x;
  call->taps = taps;
  do {
    call->n_taps = choose(q, at, taps);
    if (!q->include_pad) call->scale = 1.0f / (float)HY_MAX(call->n_taps, (size_t)1);
    pool(step, call);
    call->y += call->n;
  } while (hy__window_next(w->n, w->out, at));
}

static void run_items(const hy__step *step, uint32_t worker, size_t begin, size_t end) {
  const params *q = step->params;
  const hy__window *w = &q->last.window;
  for (size_t i = begin; i < end; ++i) {
    hy__pool_call call = {
        .n_taps = w->n_kernel, .n = q->last.channels, .scale = 1.0f / (float)w->n_kernel};
    const float *x = (const float *)step->in[0].data + i * w->n_in * call.n;
    call.y = (float *)step->out[0].data + i * w->n_out * call.n;
    if (q->taps)
      run_lines(step, x, &call);
    else
      run_places(step, x, (ptrdiff_t *)step->scratch + worker * w->n_kernel, &call);
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__window *w = &q->last.window;
  const size_t work = q->batch * w->n_out * w->n_kernel * q->last.channels;
  return hy__op_divide(step, q->batch, work, run_items, err);
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
  HY_FAIL_IF(!hy__mul(window.n_kernel * hy__op_workers(p), sizeof(ptrdiff_t), &p->scratch_bytes),
             HY_LIMIT, err, "the window is too large");
  bool inside = true;
  for (int32_t d = 0; d < window.n; ++d) inside = inside && !window.before[d] && !window.after[d];
  if (inside) {
    ptrdiff_t *taps;
    HY_TRY(hy__arena_array(p->arena, window.n_kernel, sizeof *taps, (void **)&taps, err));
    hy__last_taps(&q->last, taps);
    q->taps = taps;
    p->scratch_bytes = 0;
  }
  p->params = q;
  p->run = run;
  return HY_OK;
}
