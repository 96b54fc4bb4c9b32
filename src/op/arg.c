/* SPDX-License-Identifier: Apache-2.0 */
/* ArgMax and ArgMin: the first (or, with select_last_index, the last) of equal values; a NaN wins.
 */
#include "op/rule.h"

typedef struct params {
  int32_t axis;
  bool is_max, last;
} params;

hy_status hy__op_arg_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0];
  int64_t dims[HY_MAX_RANK];
  int32_t axis, rank = 0;
  bool keep = hy__node_int(p->node, "keepdims", 1) != 0;
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), in->rank, &axis, err));
  HY_FAIL_IF(in->dims[axis] == 0, HY_BAD_FORMAT, err, "axis %d is empty", (int)axis);
  for (int32_t d = 0; d < in->rank; d++)
    if (d != axis)
      dims[rank++] = in->dims[d];
    else if (keep)
      dims[rank++] = 1;
  return hy__op_out(p, 0, HY_I64, rank, dims, err);
}

#define ARG_AS(type)                                                                               \
  {                                                                                                \
    const type *x = (const type *)in->data + base;                                                 \
    type best = x[0];                                                                              \
    for (int64_t i = 1; i < n; i++) {                                                              \
      type v = x[i * inner];                                                                       \
      bool nan = best != best;                                                                     \
      bool better = v != v ? !nan || q->last : !nan && (q->is_max ? v > best : v < best);          \
      if (!better && !(q->last && v == best)) continue;                                            \
      best = v;                                                                                    \
      found = i;                                                                                   \
    }                                                                                              \
  }                                                                                                \
  break

static int64_t line_find(const hy_tensor *in, const params *q, int64_t base, int64_t n,
                         int64_t inner) {
  int64_t found = 0;
  switch (in->dtype) {
  case HY_F32: ARG_AS(float);
  case HY_F64: ARG_AS(double);
  case HY_I8: ARG_AS(int8_t);
  case HY_I16: ARG_AS(int16_t);
  case HY_I32: ARG_AS(int32_t);
  case HY_U8: ARG_AS(uint8_t);
  case HY_U16: ARG_AS(uint16_t);
  case HY_U32: ARG_AS(uint32_t);
  case HY_U64: ARG_AS(uint64_t);
  default: ARG_AS(int64_t);
  }
  return found;
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  const hy_tensor *in = &s->in[0];
  int64_t n = in->dims[q->axis], inner = 1, outer = 1;
  for (int32_t d = 0; d < q->axis; d++) outer *= in->dims[d];
  for (int32_t d = q->axis + 1; d < in->rank; d++) inner *= in->dims[d];
  for (int64_t line = 0; line < outer * inner; line++)
    ((int64_t *)s->out[0].data)[line] =
        line_find(in, q, line / inner * n * inner + line % inner, n, inner);
  return HY_OK;
}

hy_status hy__op_arg_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), p->in[0].rank, &q->axis, err));
  q->is_max = strcmp(p->node->op_type, "ArgMax") == 0;
  q->last = hy__node_int(p->node, "select_last_index", 0) != 0;
  p->params = q;
  p->run = run;
  return HY_OK;
}
