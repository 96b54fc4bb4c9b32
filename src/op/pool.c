/* SPDX-License-Identifier: Apache-2.0 */
/* MaxPool (with indices), AveragePool, LpPool, and each over the whole plane. Sums in double. The
 * generic path: one window after the other. */
#include <math.h>
#include <string.h>

#include "op/window.h"

typedef enum what { MAX, AVERAGE, LP } what;

typedef struct params {
  hy__window window;
  what what;
  double p;      /* of LP */
  size_t planes; /* batch * channels */
  bool include_pad, column_major;
} params;

static bool is_global(const hy__node *node) { return node->op_type[0] == 'G'; }

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

/* The largest of a window and where it lies in the plane; a NaN wins. */
#define MAX_OF(type)                                                                               \
  static type max_##type(const hy__window *w, const type *plane, const int64_t *at,                \
                         int64_t *index) {                                                         \
    int64_t k[HY__WINDOW_DIMS] = {0};                                                              \
    type max = 0;                                                                                  \
    *index = -1;                                                                                   \
    do {                                                                                           \
      const int64_t offset = hy__window_offset(w, at, k, NULL);                                    \
      if (offset < 0) continue;                                                                    \
      const type v = plane[offset];                                                                \
      if (*index >= 0 && !(v > max) && v == v) continue;                                           \
      max = v;                                                                                     \
      *index = offset;                                                                             \
      if (v != v) return v;                                                                        \
    } while (hy__window_next(w->n, w->kernel, k));                                                 \
    return max;                                                                                    \
  }                                                                                                \
  static void run_max_##type(const hy__step *step) {                                               \
    const params *q = step->params;                                                                \
    const hy__window *w = &q->window;                                                              \
    type *y = step->out[0].data;                                                                   \
    int64_t *indices = step->n_out > 1 ? step->out[1].data : NULL;                                 \
    size_t out = 0;                                                                                \
    for (size_t plane = 0; plane < q->planes && w->n_out > 0; ++plane) {                           \
      const type *x = (const type *)step->in[0].data + plane * w->n_in;                            \
      int64_t at[HY__WINDOW_DIMS] = {0}, index;                                                    \
      do {                                                                                         \
        const type v = max_##type(w, x, at, &index);                                               \
        if (y) y[out] = v;                                                                         \
        if (indices)                                                                               \
          indices[out] =                                                                           \
              (int64_t)(plane * w->n_in) + (q->column_major ? column_major(w, index) : index);     \
        out++;                                                                                     \
      } while (hy__window_next(w->n, w->out, at));                                                 \
    }                                                                                              \
  }
MAX_OF(float)
MAX_OF(double)
MAX_OF(int8_t)
MAX_OF(uint8_t)
#undef MAX_OF

/* |x|^p, and the sum's root. */
static double power(double x, double p) {
  if (p == 1.0) return fabs(x);
  return p == 2.0 ? x * x : pow(fabs(x), p);
}
static double root(double x, double p) {
  if (p == 1.0) return x;
  return p == 2.0 ? sqrt(x) : pow(x, 1.0 / p);
}

/* The mean of a window, or its norm. */
#define SUM_OF(type)                                                                               \
  static double sum_##type(const params *q, const type *plane, const int64_t *at) {                \
    const hy__window *w = &q->window;                                                              \
    int64_t k[HY__WINDOW_DIMS] = {0};                                                              \
    double sum = 0.0;                                                                              \
    size_t inside = 0, padded = 0;                                                                 \
    do {                                                                                           \
      bool in_padded;                                                                              \
      const int64_t offset = hy__window_offset(w, at, k, &in_padded);                              \
      padded += in_padded;                                                                         \
      if (offset < 0) continue;                                                                    \
      inside++;                                                                                    \
      sum += q->what == LP ? power((double)plane[offset], q->p) : (double)plane[offset];           \
    } while (hy__window_next(w->n, w->kernel, k));                                                 \
    if (q->what == LP) return root(sum, q->p);                                                     \
    const size_t count = q->include_pad ? padded : inside;                                         \
    return count ? sum / (double)count : 0.0;                                                      \
  }                                                                                                \
  static void run_sum_##type(const hy__step *step) {                                               \
    const params *q = step->params;                                                                \
    const hy__window *w = &q->window;                                                              \
    type *y = step->out[0].data;                                                                   \
    for (size_t plane = 0; plane < q->planes && w->n_out > 0; ++plane) {                           \
      const type *x = (const type *)step->in[0].data + plane * w->n_in;                            \
      int64_t at[HY__WINDOW_DIMS] = {0};                                                           \
      do *y++ = (type)sum_##type(q, x, at);                                                        \
      while (hy__window_next(w->n, w->out, at));                                                   \
    }                                                                                              \
  }
SUM_OF(float)
SUM_OF(double)
#undef SUM_OF

static hy_status run(const hy__step *step, hy_error *err) {
  const bool max = ((const params *)step->params)->what == MAX;
  (void)err;
  switch (step->in[0].dtype) {
  case HY_I8: run_max_int8_t(step); break;
  case HY_U8: run_max_uint8_t(step); break;
  case HY_F64: max ? run_max_double(step) : run_sum_double(step); break;
  default: max ? run_max_float(step) : run_sum_float(step); break;
  }
  return HY_OK;
}

/* LpPool's p is an integer from opset 2 on, a float before. */
static double power_of(const hy__node *node) {
  const hy__attr *p = hy__node_attr(node, "p");
  if (p && p->kind == HY__ATTR_FLOAT) return (double)p->as.f;
  return (double)hy__node_int(node, "p", 2);
}

hy_status hy__op_pool_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read_window(p, &q->window, err));
  q->planes = (size_t)x->dims[0] * (size_t)x->dims[1];
  q->what = strstr(p->node->op_type, "Max") ? MAX : strstr(p->node->op_type, "Lp") ? LP : AVERAGE;
  q->p = power_of(p->node);
  HY_FAIL_IF(q->what == LP && !(q->p > 0.0), HY_BAD_FORMAT, err, "p is %g", q->p);
  q->include_pad = hy__node_int(p->node, "count_include_pad", 0) != 0;
  q->column_major = hy__node_int(p->node, "storage_order", 0) != 0;
  p->params = q;
  p->run = run;
  return HY_OK;
}
