/* SPDX-License-Identifier: Apache-2.0 */
/* ReverseSequence: of each batch entry the first so many steps in reverse order, the rest as it is.
 */
#include <string.h>

#include "op/rule.h"

typedef struct params {
  size_t batch, time, inner; /* inner: elements of a step */
  bool time_first;
} params;

hy_status hy__op_reverse_sequence_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *lengths = &p->in[1];
  const int64_t batch = hy__node_int(p->node, "batch_axis", 1);
  const int64_t time = hy__node_int(p->node, "time_axis", 0);
  HY_FAIL_IF(x->rank < 2 || batch < 0 || batch > 1 || time != 1 - batch, HY_BAD_FORMAT, err,
             "batch_axis %lld and time_axis %lld; they are 0 and 1 in some order", (long long)batch,
             (long long)time);
  HY_FAIL_IF(lengths->dtype != HY_I64 || hy__op_count_of(lengths) != (size_t)x->dims[batch],
             HY_BAD_FORMAT, err, "sequence_lens is not one i64 for each of %lld",
             (long long)x->dims[batch]);
  return hy__op_out_like(p, 0, x, err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const int64_t *lengths = step->in[1].data;
  const size_t bytes = q->inner * hy_dtype_bytes(step->in[0].dtype);
  for (size_t b = 0; b < q->batch; b++) {
    HY_FAIL_IF(lengths[b] < 0 || (size_t)lengths[b] > q->time, HY_INVALID_ARGUMENT, err,
               "sequence length %lld is outside [0, %zu]", (long long)lengths[b], q->time);
    const size_t n = (size_t)lengths[b];
    for (size_t t = 0; t < q->time; t++) {
      const size_t from = t < n ? n - 1 - t : t;
      const size_t at = q->time_first ? t * q->batch + b : b * q->time + t;
      const size_t source = q->time_first ? from * q->batch + b : b * q->time + from;
      memcpy((char *)step->out[0].data + at * bytes,
             (const char *)step->in[0].data + source * bytes, bytes);
    }
  }
  return HY_OK;
}

hy_status hy__op_reverse_sequence_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->time_first = hy__node_int(p->node, "time_axis", 0) == 0;
  q->batch = (size_t)x->dims[q->time_first];
  q->time = (size_t)x->dims[!q->time_first];
  q->inner = 1;
  for (int32_t d = 2; d < x->rank; d++) q->inner *= (size_t)x->dims[d];
  p->params = q;
  p->run = run;
  return HY_OK;
}
