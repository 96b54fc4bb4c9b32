/* SPDX-License-Identifier: Apache-2.0 */
/* Strides, dilations, paddings and output sizes of Conv and the pools. */
#include "op/window.h"

#include <string.h>

/* The attribute's n values, or `otherwise` n times. */
static hy_status list_of(const hy__node *node, const char *name, int32_t n, int64_t otherwise,
                         int64_t *out, hy_error *err) {
  const hy__attr *a = hy__node_attr(node, name);
  for (int32_t i = 0; i < n; ++i) out[i] = otherwise;
  if (!a || a->kind != HY__ATTR_INTS || a->n == 0) return HY_OK;
  HY_FAIL_IF(a->n != (size_t)n, HY_BAD_FORMAT, err, "%s has %zu values in place of %d", name, a->n,
             (int)n);
  for (int32_t i = 0; i < n; ++i) {
    HY_FAIL_IF(a->as.ints[i] < 0 || a->as.ints[i] > INT32_MAX, HY_BAD_FORMAT, err, "%s has %lld",
               name, (long long)a->as.ints[i]);
    out[i] = a->as.ints[i];
  }
  return HY_OK;
}

/* SAME: as many windows as strides fit into the input, the padding split over both ends. */
static void pad_same(hy__window *w, int32_t d, bool upper) {
  const int64_t out = (w->in[d] + w->stride[d] - 1) / w->stride[d];
  int64_t need = (out - 1) * w->stride[d] + (w->kernel[d] - 1) * w->dilation[d] + 1 - w->in[d];
  if (need < 0) need = 0;
  w->before[d] = upper ? need / 2 : need - need / 2;
  w->after[d] = need - w->before[d];
}

static hy_status size_of(hy__window *w, int32_t d, bool ceil_mode, hy_error *err) {
  const int64_t reach = (w->kernel[d] - 1) * w->dilation[d] + 1;
  const int64_t room = w->in[d] + w->before[d] + w->after[d] - reach;
  HY_FAIL_IF(room < 0, HY_BAD_FORMAT, err, "a window of %lld does not fit into %lld",
             (long long)reach, (long long)(room + reach));
  w->out[d] = (ceil_mode ? room + w->stride[d] - 1 : room) / w->stride[d] + 1;
  /* a window that would begin in the padding behind is dropped */
  if (ceil_mode && (w->out[d] - 1) * w->stride[d] >= w->in[d] + w->before[d]) w->out[d]--;
  return HY_OK;
}

static bool product(const int64_t *dims, int32_t n, size_t *out) {
  return hy__shape_bytes(dims, n, 0, out);
}

hy_status hy__window_attributes(const hy__op_plan *p, int32_t n, const int64_t *kernel,
                                hy__window *out, hy_error *err) {
  static const char *const names[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER", NULL};
  hy__window *w = out;
  int64_t pads[2 * HY__WINDOW_DIMS];
  int32_t how;
  *w = (hy__window){.n = n};
  HY_FAIL_IF(n < 1 || n > HY__WINDOW_DIMS, HY_UNSUPPORTED, err, "%d spatial dims; 1 to %d are done",
             (int)n, (int)HY__WINDOW_DIMS);
  HY_TRY(list_of(p->node, "kernel_shape", n, 1, w->kernel, err));
  if (kernel) memcpy(w->kernel, kernel, (size_t)n * sizeof *kernel);
  HY_TRY(list_of(p->node, "strides", n, 1, w->stride, err));
  HY_TRY(list_of(p->node, "dilations", n, 1, w->dilation, err));
  HY_TRY(list_of(p->node, "pads", 2 * n, 0, pads, err));
  HY_TRY(hy__op_choice(p, "auto_pad", names, &how, err));
  w->pad = (hy__window_pad)how;
  for (int32_t d = 0; d < n; ++d) {
    w->before[d] = how == 0 ? pads[d] : 0;
    w->after[d] = how == 0 ? pads[d + n] : 0;
    HY_FAIL_IF(w->kernel[d] < 1 || w->stride[d] < 1 || w->dilation[d] < 1, HY_BAD_FORMAT, err,
               "a kernel, stride or dilation is 0");
    HY_FAIL_IF(w->kernel[d] > INT32_MAX, HY_LIMIT, err, "a kernel is larger than %d", INT32_MAX);
  }
  return HY_OK;
}

hy_status hy__window_fit(hy__window *w, const int64_t *in, bool ceil_mode, hy_error *err) {
  for (int32_t d = 0; d < w->n; ++d) {
    w->in[d] = in[d];
    HY_FAIL_IF(w->in[d] > INT32_MAX, HY_LIMIT, err, "a spatial dim is larger than %d", INT32_MAX);
    if (w->pad > HY__WINDOW_VALID) pad_same(w, d, w->pad == HY__WINDOW_SAME_UPPER);
    HY_TRY(size_of(w, d, ceil_mode, err));
  }
  HY_FAIL_IF(!product(w->in, w->n, &w->n_in) || !product(w->out, w->n, &w->n_out) ||
                 !product(w->kernel, w->n, &w->n_kernel),
             HY_LIMIT, err, "the windows are too many");
  return HY_OK;
}

hy_status hy__window_read(const hy__op_plan *p, const int64_t *kernel, hy__window *out,
                          hy_error *err) {
  const hy_tensor *x = &p->in[0];
  HY_TRY(hy__window_attributes(p, x->rank - 2, kernel, out, err));
  return hy__window_fit(out, x->dims + 2, hy__node_int(p->node, "ceil_mode", 0) != 0, err);
}

int64_t hy__window_offset(const hy__window *w, const int64_t *at, const int64_t *k,
                          bool *inside_padded) {
  int64_t offset = 0;
  bool inside = true, padded = true;
  for (int32_t d = 0; d < w->n; ++d) {
    const int64_t i = at[d] * w->stride[d] - w->before[d] + k[d] * w->dilation[d];
    if (i >= w->in[d] + w->after[d]) padded = false;
    if (i < 0 || i >= w->in[d]) inside = false;
    offset = offset * w->in[d] + i;
  }
  if (inside_padded) *inside_padded = padded;
  return inside ? offset : -1;
}
