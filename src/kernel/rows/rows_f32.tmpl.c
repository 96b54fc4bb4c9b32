/* SPDX-License-Identifier: Apache-2.0
 * Softmax and layer normalisation of rows over the lanes of the vector header that was included
 * before. Parameter: HY_KERNEL, the exported structure's name. Each lane sums its own elements, the
 * lanes are added in a tree: the same for a row alone and in a batch. */
#include <math.h>

#include "base/base.h"
#include "kernel/rows/rows.h"
#include "kernel/simd/control.h"
#include "kernel/simd/math_f32.h"

/* The last n < HY_VL elements; other lanes hold `fill`. */
HY_INLINE vf load_tail(const float *x, size_t n, float fill) {
  float lanes[HY_VL];
  for (size_t i = 0; i < HY_VL; ++i) lanes[i] = i < n ? x[i] : fill;
  return v_load(lanes);
}

/* NaN among the elements may be passed over here: it comes back through the exponentials. */
static float row_max(const float *x, size_t n) {
  vf most = v_set(-INFINITY);
  for (size_t i = 0; i < n; i += HY_VL)
    most = v_max(i + HY_VL <= n ? v_load(x + i) : load_tail(x + i, n - i, -INFINITY), most);
  return v_most(most);
}

/* e^(x - max) into y; returns the sum. */
static float exponentials(const float *x, float *y, size_t n, float max) {
  const vf shift = v_set(max);
  vf sum = v_set(0.0f);
  size_t i = 0;
  for (; i + HY_VL <= n; i += HY_VL) {
    const vf e = m_exp(v_sub(v_load(x + i), shift));
    if (y) v_store(y + i, e);
    sum = v_add(sum, e);
  }
  if (i < n) {
    const vf e = m_exp(v_sub(load_tail(x + i, n - i, -INFINITY), shift));
    if (y) v_store_n(y + i, e, n - i);
    sum = v_add(sum, e);
  }
  return v_sum(sum);
}

static void scale_row(float *y, size_t n, float by) {
  const vf factor = v_set(by);
  size_t i = 0;
  for (; i + HY_VL <= n; i += HY_VL) v_store(y + i, v_mul(v_load(y + i), factor));
  if (i < n) v_store_n(y + i, v_mul(v_load_n(y + i, n - i), factor), n - i);
}

static void softmax(const float *x, float *y, size_t rows, size_t n) {
  unsigned saved = control_flush();
  for (size_t row = 0; row < rows; ++row, x += n, y += n) {
    const float sum = exponentials(x, y, n, row_max(x, n));
    scale_row(y, n, 1.0f / sum);
  }
  control_restore(saved);
}

static void log_softmax(const float *x, float *y, size_t rows, size_t n) {
  unsigned saved = control_flush();
  for (size_t row = 0; row < rows; ++row, x += n, y += n) {
    const float max = row_max(x, n);
    const float log_sum = (float)hy__ln((double)exponentials(x, NULL, n, max));
    for (size_t i = 0; i < n; ++i) y[i] = (x[i] - max) - log_sum;
  }
  control_restore(saved);
}

/* A row's mean as its first element plus the rest, which loses nothing when the mean is large
 * beside the deviation. */
typedef struct centre {
  float first, rest;
} centre;

HY_INLINE vf centred(vf x, centre c) { return v_sub(v_sub(x, v_set(c.first)), v_set(c.rest)); }

/* Sum of (x - centre)^power, power 1 or 2. */
HY_INLINE float moment(const float *x, size_t n, centre c, int power) {
  vf sum = v_set(0.0f), other = v_set(0.0f); /* two, so that additions do not wait so long */
  size_t i = 0;
  for (; i + 2 * HY_VL <= n; i += 2 * HY_VL) {
    const vf d = centred(v_load(x + i), c), e = centred(v_load(x + i + HY_VL), c);
    sum = power == 2 ? v_fma(d, d, sum) : v_add(sum, d);
    other = power == 2 ? v_fma(e, e, other) : v_add(other, e);
  }
  for (; i + HY_VL <= n; i += HY_VL) {
    const vf d = centred(v_load(x + i), c);
    sum = power == 2 ? v_fma(d, d, sum) : v_add(sum, d);
  }
  float total = v_sum(v_add(sum, other));
  for (; i < n; ++i) {
    const float d = (x[i] - c.first) - c.rest;
    total += power == 2 ? d * d : d;
  }
  return total;
}

static void normalize_row(const hy__layer_norm_call *call, const float *x, float *y, centre c,
                          float inv_std) {
  const vf s = v_set(inv_std);
  for (size_t i = 0; i < call->n; i += HY_VL) {
    const size_t n = call->n - i < HY_VL ? call->n - i : HY_VL;
    vf v = v_mul(centred(v_load_n(x + i, n), c), s);
    if (call->scale) v = v_mul(v, v_load_n(call->scale + i, n));
    if (call->bias) v = v_add(v, v_load_n(call->bias + i, n));
    v_store_n(y + i, v, n);
  }
}

static void layer_norm(const hy__layer_norm_call *call) {
  unsigned saved = control_flush();
  for (size_t row = 0; row < call->rows && call->n > 0; ++row) {
    const float *x = call->x + row * call->n;
    centre c = {call->rms ? 0.0f : x[0], 0.0f};
    if (!call->rms) c.rest = moment(x, call->n, c, 1) / (float)call->n;
    const float variance = moment(x, call->n, c, 2) / (float)call->n;
    const float inv_std = 1.0f / sqrtf(variance + call->epsilon);
    normalize_row(call, x, call->y + row * call->n, c, inv_std);
    if (call->mean_out) call->mean_out[row] = c.first + c.rest;
    if (call->inv_std_out) call->inv_std_out[row] = inv_std;
  }
  control_restore(saved);
}

extern const hy__rows_f32 HY_KERNEL;
const hy__rows_f32 HY_KERNEL = {
    .softmax = softmax, .log_softmax = log_softmax, .layer_norm = layer_norm};
