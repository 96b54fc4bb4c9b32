/* SPDX-License-Identifier: Apache-2.0 */
/* Channels-last windows: see last.h. */
#include "op/last.h"

#include <string.h>

hy_status hy__last_window(const hy__op_plan *p, const int64_t *kernel, hy__window *out,
                          hy_error *err) {
  const hy_tensor *x = &p->in[0];
  hy_tensor first = *x; /* the same with channels first, as the shared rule has it */
  HY_FAIL_IF(x->rank < 3, HY_BAD_FORMAT, err, "X has %d dims; 3 or more are expected", x->rank);
  first.dims[1] = x->dims[x->rank - 1];
  memcpy(first.dims + 2, x->dims + 1, (size_t)(x->rank - 2) * sizeof x->dims[0]);
  hy__op_plan view = *p;
  view.in = &first;
  view.n_in = 1;
  return hy__window_read(&view, kernel, out, err);
}

void hy__last_init(hy__last *l, const hy__window *window, size_t channels, bool copy) {
  *l = (hy__last){.window = *window, .channels = channels, .n_read = 1};
  for (int32_t d = 0; d < window->n; ++d)
    l->padded = l->padded || (copy && (window->before[d] || window->after[d]));
  for (int32_t d = 0; d < window->n; ++d) {
    l->size[d] = window->in[d] + (l->padded ? window->before[d] + window->after[d] : 0);
    l->n_read *= (size_t)l->size[d];
  }
}

int64_t hy__last_stride(const hy__last *l, int32_t d) {
  int64_t stride = (int64_t)l->channels;
  for (int32_t i = l->window.n - 1; i > d; --i) stride *= l->size[i];
  return stride;
}

void hy__last_taps(const hy__last *l, ptrdiff_t *taps) {
  int64_t k[HY__WINDOW_DIMS] = {0};
  do {
    *taps = 0;
    for (int32_t d = 0; d < l->window.n; ++d)
      *taps += (ptrdiff_t)(k[d] * l->window.dilation[d] * hy__last_stride(l, d));
    taps++;
  } while (hy__window_next(l->window.n, l->window.kernel, k));
}

static void fill_with(float *to, size_t n, float value) {
  for (size_t i = 0; i < n; ++i) to[i] = value;
}

void hy__last_copy(const hy__last *l, const float *x, float fill, float *to) {
  const hy__window *w = &l->window;
  const int32_t last = w->n - 1;
  const size_t before = (size_t)w->before[last] * l->channels;
  const size_t after = (size_t)w->after[last] * l->channels;
  const size_t row = (size_t)w->in[last] * l->channels;
  int64_t at[HY__WINDOW_DIMS] = {0};
  do { /* rows of what is read */
    bool inside = true;
    for (int32_t d = 0; d < last; ++d)
      inside = inside && at[d] >= w->before[d] && at[d] < w->before[d] + w->in[d];
    if (inside) {
      fill_with(to, before, fill);
      memcpy(to + before, x, row * sizeof *x);
      fill_with(to + before + row, after, fill);
      x += row;
    } else {
      fill_with(to, before + row + after, fill);
    }
    to += before + row + after;
  } while (hy__window_next(last, l->size, at));
}
