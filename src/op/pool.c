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
  bool means;          /* of whole planes of floats */
  const int64_t *taps; /* of a window wholly inside: its elements from its first on */
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

/* Where a window wholly inside the plane begins, else -1. */
static int64_t inside_at(const hy__window *w, const int64_t *at) {
  int64_t offset = 0;
  for (int32_t d = 0; d < w->n; ++d) {
    const int64_t i = at[d] * w->stride[d] - w->before[d];
    if (i < 0 || i + (w->kernel[d] - 1) * w->dilation[d] >= w->in[d]) return -1;
    offset = offset * w->in[d] + i;
  }
  return offset;
}

/* The largest of a window and where it lies in the plane; a NaN wins. */
#define MAX_OF(type)                                                                               \
  static type max_##type(const params *q, const type *plane, const int64_t *at, int64_t *index) {  \
    const hy__window *w = &q->window;                                                              \
    const int64_t begin = inside_at(w, at), *tap = q->taps;                                        \
    int64_t k[HY__WINDOW_DIMS] = {0};                                                              \
    type max = 0;                                                                                  \
    *index = -1;                                                                                   \
    do {                                                                                           \
      const int64_t offset = begin >= 0 ? begin + *tap++ : hy__window_offset(w, at, k, NULL);      \
      if (offset < 0) continue;                                                                    \
      const type v = plane[offset];                                                                \
      if (*index >= 0 && !(v > max) && v == v) continue;                                           \
      max = v;                                                                                     \
      *index = offset;                                                                             \
      if (v != v) return v;                                                                        \
    } while (begin >= 0 ? tap < q->taps + w->n_kernel : hy__window_next(w->n, w->kernel, k));      \
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
        const type v = max_##type(q, x, at, &index);                                               \
        if (y) y[out] = v;                                                                         \
        if (indices)                                                                               \
          indices[out] =                                                                           \
              (int64_t)(plane * w->n_in) + (q->column_major ? column_major(w, index) : index);     \
        out++;                                                                                     \
      } while (hy__window_next(w->n, w->out, at));                                                 \
    }                                                                                              \
  }
/* The windows of a line of outputs that lie wholly inside: [run[0], run[1]); the first line element
 * of window 0 is at the returned offset, which may lie before the plane. */
static int64_t line_inside(const hy__window *w, const int64_t *at, int64_t run[2]) {
  const int32_t last = w->n - 1;
  const int64_t stride = w->stride[last], before = w->before[last];
  const int64_t room = w->in[last] + before - (w->kernel[last] - 1) * w->dilation[last] - 1;
  int64_t offset = 0;
  run[0] = (before + stride - 1) / stride;
  run[1] = room < 0 ? 0 : HY_MIN(room / stride + 1, w->out[last]);
  for (int32_t d = 0; d < last; ++d) {
    const int64_t i = at[d] * w->stride[d] - w->before[d];
    if (i < 0 || i + (w->kernel[d] - 1) * w->dilation[d] >= w->in[d]) run[1] = 0;
    offset = offset * w->in[d] + i;
  }
  return offset * w->in[last] - before;
}

/* The same without places; a NaN wins. */
#define MAX_ALONE(type)                                                                            \
  static void max_line_##type(const params *q, const type *plane, int64_t *at, type *y) {          \
    const hy__window *w = &q->window;                                                              \
    const int32_t last = w->n - 1;                                                                 \
    int64_t run[2], index;                                                                         \
    const int64_t begin = line_inside(w, at, run);                                                 \
    for (at[last] = 0; at[last] < w->out[last]; at[last]++) {                                      \
      const int64_t i = at[last];                                                                  \
      if (i < run[0] || i >= run[1]) {                                                             \
        y[i] = max_##type(q, plane, at, &index);                                                   \
        continue;                                                                                  \
      }                                                                                            \
      const type *x = plane + begin + i * w->stride[last];                                         \
      type max = x[q->taps[0]];                                                                    \
      for (size_t t = 1; t < w->n_kernel; ++t) {                                                   \
        const type v = x[q->taps[t]];                                                              \
        max = ((v > max) | (v != v)) ? v : max;                                                    \
      }                                                                                            \
      y[i] = max;                                                                                  \
    }                                                                                              \
    at[last] = 0;                                                                                  \
  }                                                                                                \
  static void run_alone_##type(const hy__step *step) {                                             \
    const params *q = step->params;                                                                \
    const hy__window *w = &q->window;                                                              \
    type *y = step->out[0].data;                                                                   \
    for (size_t plane = 0; plane < q->planes && w->n_out > 0; ++plane) {                           \
      const type *x = (const type *)step->in[0].data + plane * w->n_in;                            \
      int64_t at[HY__WINDOW_DIMS] = {0};                                                           \
      do {                                                                                         \
        max_line_##type(q, x, at, y);                                                              \
        y += w->out[w->n - 1];                                                                     \
      } while (hy__window_next(w->n - 1, w->out, at));                                             \
    }                                                                                              \
  }
MAX_OF(float)
MAX_OF(double)
MAX_OF(int8_t)
MAX_OF(uint8_t)
MAX_ALONE(float)
MAX_ALONE(int8_t)
MAX_ALONE(uint8_t)
#undef MAX_ALONE
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
    const int64_t begin = q->what == LP ? -1 : inside_at(w, at);                                   \
    if (begin >= 0) {                                                                              \
      for (size_t t = 0; t < w->n_kernel; ++t) sum += (double)plane[begin + q->taps[t]];           \
      return sum / (double)w->n_kernel;                                                            \
    }                                                                                              \
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

/* Means of whole planes, several at once so that no sum waits for itself. */
static void run_means(const hy__step *step) {
  enum { TOGETHER = 8 };
  const params *q = step->params;
  const size_t n = q->window.n_in;
  const float *x = step->in[0].data;
  float *y = step->out[0].data;
  for (size_t plane = 0; plane < q->planes; plane += TOGETHER, x += TOGETHER * n) {
    const size_t m = HY_MIN((size_t)TOGETHER, q->planes - plane);
    double sums[TOGETHER] = {0};
    for (size_t i = 0; i < n && m == TOGETHER; i++)
      for (size_t k = 0; k < TOGETHER; k++) sums[k] += (double)x[k * n + i];
    for (size_t k = 0; k < m && m < TOGETHER; k++)
      for (size_t i = 0; i < n; i++) sums[k] += (double)x[k * n + i];
    for (size_t k = 0; k < m; k++) y[plane + k] = (float)(sums[k] / (double)n);
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const bool max = q->what == MAX;
  const bool alone = step->out[0].data && !(step->n_out > 1 && step->out[1].data);
  (void)err;
  if (max && alone && q->taps && step->in[0].dtype != HY_F64) {
    if (step->in[0].dtype == HY_I8)
      run_alone_int8_t(step);
    else if (step->in[0].dtype == HY_U8)
      run_alone_uint8_t(step);
    else
      run_alone_float(step);
    return HY_OK;
  }
  if (q->means) {
    run_means(step);
    return HY_OK;
  }
  switch (step->in[0].dtype) {
  case HY_I8: run_max_int8_t(step); break;
  case HY_U8: run_max_uint8_t(step); break;
  case HY_F64: max ? run_max_double(step) : run_sum_double(step); break;
  default: max ? run_max_float(step) : run_sum_float(step); break;
  }
  return HY_OK;
}

static hy_status taps_lower(hy__op_plan *p, params *q, hy_error *err) {
  const hy__window *w = &q->window;
  int64_t k[HY__WINDOW_DIMS] = {0};
  void *memory;
  size_t n = 0;
  for (int32_t d = 0; d < w->n; ++d) /* no window is inside: nothing is read */
    if ((w->kernel[d] - 1) * w->dilation[d] >= w->in[d]) return HY_OK;
  HY_TRY(hy__arena_array(p->arena, w->n_kernel, sizeof(int64_t), &memory, err));
  int64_t *taps = memory;
  do {
    int64_t offset = 0;
    for (int32_t d = 0; d < w->n; ++d) offset = offset * w->in[d] + k[d] * w->dilation[d];
    taps[n++] = offset;
  } while (hy__window_next(w->n, w->kernel, k));
  q->taps = taps;
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
  q->taps = NULL;
  HY_TRY(taps_lower(p, q, err));
  q->planes = (size_t)x->dims[0] * (size_t)x->dims[1];
  q->what = strstr(p->node->op_type, "Max") ? MAX : strstr(p->node->op_type, "Lp") ? LP : AVERAGE;
  q->p = power_of(p->node);
  HY_FAIL_IF(q->what == LP && !(q->p > 0.0), HY_BAD_FORMAT, err, "p is %g", q->p);
  q->include_pad = hy__node_int(p->node, "count_include_pad", 0) != 0;
  q->column_major = hy__node_int(p->node, "storage_order", 0) != 0;
  q->means = q->what == AVERAGE && is_global(p->node) && x->dtype == HY_F32 && q->window.n_in;
  p->params = q;
  p->run = run;
  return HY_OK;
}
