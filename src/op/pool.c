/* SPDX-License-Identifier: Apache-2.0 */
/* MaxPool (with indices), AveragePool, and both over the whole plane. */
#include <math.h>
#include <string.h>

#include "op/window.h"

typedef struct params {
  hy__window window;
  hy_dtype dtype;
  size_t planes; /* batch * channels */
  bool average, include_pad, column_major;
} params;

static bool is_global(const hy__node *node) { return node->op_type[0] == 'G'; }
static bool is_average(const hy__node *node) { return strstr(node->op_type, "Average") != NULL; }

static hy_status read_window(const hy__op_plan *p, hy__window *w, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  HY_FAIL_IF(x->rank < 3, HY_BAD_FORMAT, err, "X has %d dims; 3 or more are expected", x->rank);
  HY_FAIL_IF(!is_global(p->node) && !hy__node_attr(p->node, "kernel_shape"), HY_BAD_FORMAT, err,
             "kernel_shape is missing");
  return hy__window_read(p, is_global(p->node) ? x->dims + 2 : NULL, w, err);
}

hy_status hy__op_pool_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  hy__window w;
  HY_TRY(read_window(p, &w, err));
  int64_t dims[HY_MAX_RANK] = {x->dims[0], x->dims[1]};
  memcpy(dims + 2, w.out, (size_t)w.n * sizeof *dims);
  HY_TRY(hy__op_out(p, 0, x->dtype, x->rank, dims, err));
  return p->n_out > 1 ? hy__op_out(p, 1, HY_I64, x->rank, dims, err) : HY_OK;
}

static double at_of(const params *q, const char *plane, int64_t offset) {
  return q->dtype == HY_F64 ? ((const double *)(const void *)plane)[offset]
                            : (double)((const float *)(const void *)plane)[offset];
}

/* One window: its value, and where its maximum lies in the plane (-1 for none). */
static double pool(const params *q, const char *plane, const int64_t *at, int64_t *index) {
  const hy__window *w = &q->window;
  int64_t k[HY__WINDOW_DIMS] = {0};
  double sum = 0.0, max = -(double)INFINITY;
  size_t inside = 0, padded = 0;
  *index = -1;
  do {
    bool in_padded;
    const int64_t offset = hy__window_offset(w, at, k, &in_padded);
    padded += in_padded;
    if (offset < 0) continue;
    const double v = at_of(q, plane, offset);
    inside++;
    sum += v;
    if (v > max || *index < 0 || v != v) {
      max = v;
      *index = offset;
      if (v != v && !q->average) return v;
    }
  } while (hy__window_next(w->n, w->kernel, k));
  if (!q->average) return max;
  const size_t count = q->include_pad ? padded : inside;
  return count ? sum / (double)count : 0.0;
}

/* The index in storage_order=1: the first spatial dim is the fastest. */
static int64_t column_major(const hy__window *w, int64_t offset) {
  int64_t place[HY__WINDOW_DIMS], out = 0;
  for (int32_t d = w->n - 1; d >= 0; --d) {
    place[d] = offset % w->in[d];
    offset /= w->in[d];
  }
  for (int32_t d = w->n - 1; d >= 0; --d) out = out * w->in[d] + place[d];
  return out;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__window *w = &q->window;
  const size_t each = hy_dtype_bytes(q->dtype);
  int64_t *indices = step->n_out > 1 ? step->out[1].data : NULL;
  size_t out = 0;
  (void)err;
  for (size_t plane = 0; plane < q->planes && w->n_out > 0; ++plane) {
    const char *x = (const char *)step->in[0].data + plane * w->n_in * each;
    int64_t at[HY__WINDOW_DIMS] = {0}, index;
    do {
      const double v = pool(q, x, at, &index);
      if (q->dtype == HY_F64)
        ((double *)step->out[0].data)[out] = v;
      else
        ((float *)step->out[0].data)[out] = (float)v;
      if (indices)
        indices[out] =
            (int64_t)(plane * w->n_in) + (q->column_major ? column_major(w, index) : index);
      out++;
    } while (hy__window_next(w->n, w->out, at));
  }
  return HY_OK;
}

hy_status hy__op_pool_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read_window(p, &q->window, err));
  q->dtype = x->dtype;
  q->planes = (size_t)x->dims[0] * (size_t)x->dims[1];
  q->average = is_average(p->node);
  q->include_pad = hy__node_int(p->node, "count_include_pad", 0) != 0;
  q->column_major = hy__node_int(p->node, "storage_order", 0) != 0;
  p->params = q;
  p->run = run;
  return HY_OK;
}
