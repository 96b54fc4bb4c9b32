/* SPDX-License-Identifier: Apache-2.0 */
/* MaxUnpool: zeros, with each element where MaxPool's index says it came from. The indices count in
 * the tensor that kernel, strides and pads imply; a larger output_shape only adds zeros behind. */
#include <string.h>

#include "op/element.h"
#include "op/window.h"

typedef struct params {
  size_t n_implied;
  int32_t rank;
  int64_t implied[HY_MAX_RANK], strides[HY_MAX_RANK]; /* strides of the output */
} params;

static hy_status implied_dims(const hy__op_plan *p, int64_t *dims, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  hy__window w;
  HY_FAIL_IF(!hy__node_attr(p->node, "kernel_shape"), HY_BAD_FORMAT, err,
             "kernel_shape is missing");
  HY_TRY(hy__window_attributes(p, x->rank - 2, NULL, &w, err));
  for (int32_t d = 0; d < x->rank; d++) {
    dims[d] = x->dims[d];
    if (d < 2) continue;
    const int32_t s = d - 2;
    HY_FAIL_IF(dims[d] > INT32_MAX, HY_LIMIT, err, "a spatial dim is larger than %d", INT32_MAX);
    dims[d] = (dims[d] - 1) * w.stride[s] + w.kernel[s] - w.before[s] - w.after[s];
    HY_FAIL_IF(dims[d] < 0, HY_BAD_FORMAT, err, "the pads take away more than there is");
  }
  return HY_OK;
}

hy_status hy__op_max_unpool_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int64_t dims[HY_MAX_RANK], asked[HY__OP_LIST];
  int32_t n;
  HY_FAIL_IF(x->rank < 3 || p->in[1].dtype != HY_I64 || !hy__op_same_dims(x, &p->in[1]),
             HY_BAD_FORMAT, err, "X has %d dims, and I must be i64 of its shape", (int)x->rank);
  HY_TRY(implied_dims(p, dims, err));
  HY_TRY(hy__op_ints(p, 2, NULL, asked, &n, err));
  HY_FAIL_IF(n >= 0 && n != x->rank, HY_BAD_FORMAT, err, "output_shape has %d dims, X %d", (int)n,
             (int)x->rank);
  for (int32_t d = 0; d < n; d++) {
    HY_FAIL_IF(asked[d] < dims[d], HY_BAD_FORMAT, err,
               "output_shape has %lld where %lld are needed", (long long)asked[d],
               (long long)dims[d]);
    dims[d] = asked[d];
  }
  return hy__op_out(p, 0, x->dtype, x->rank, dims, err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const int64_t *indices = step->in[1].data;
  const size_t n = hy__op_count_of(&step->in[0]), each = hy_dtype_bytes(step->in[0].dtype);
  memset(step->out[0].data, 0, hy__op_bytes_of(&step->out[0]));
  for (size_t i = 0; i < n; i++) {
    int64_t rest = indices[i], to = 0;
    HY_FAIL_IF(rest < 0 || (size_t)rest >= q->n_implied, HY_INVALID_ARGUMENT, err,
               "index %lld is outside [0, %zu)", (long long)rest, q->n_implied);
    for (int32_t d = q->rank - 1; d >= 0; d--) {
      to += rest % q->implied[d] * q->strides[d];
      rest /= q->implied[d];
    }
    memcpy((char *)step->out[0].data + (size_t)to * each, (const char *)step->in[0].data + i * each,
           each);
  }
  return HY_OK;
}

hy_status hy__op_max_unpool_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(implied_dims(p, q->implied, err));
  q->rank = p->in[0].rank;
  q->n_implied = 1;
  for (int32_t d = 0; d < q->rank; d++) q->n_implied *= (size_t)q->implied[d];
  hy__op_strides(&p->out[0], q->strides);
  p->params = q;
  p->run = run;
  return HY_OK;
}
