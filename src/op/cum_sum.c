/* SPDX-License-Identifier: Apache-2.0 */
/* CumSum and CumProd along an axis that is known at planning; exclusive and reverse. Floats work in
 * their own type, in order. */
#include "op/rule.h"

typedef struct params {
  int32_t axis;
  bool product, exclusive, reverse;
} params;

hy_status hy__op_cum_sum_infer(hy__op_plan *p, hy_error *err) {
  return hy__op_out_like(p, 0, &p->in[0], err);
}

#define CUMULATE_AS(type, sum_type)                                                                \
  {                                                                                                \
    sum_type sum = q->product;                                                                     \
    for (int64_t i = 0; i < n; i++, at += step) {                                                  \
      sum_type x = (sum_type)((const type *)s->in[0].data)[at];                                    \
      ((type *)s->out[0].data)[at] = (type)(q->exclusive ? sum : q->product ? sum * x : sum + x);  \
      sum = (sum_type)(q->product ? sum * x : sum + x);                                            \
    }                                                                                              \
  }                                                                                                \
  break

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  const hy_tensor *in = &s->in[0];
  int64_t n = in->dims[q->axis], inner = 1, outer = 1;
  for (int32_t d = 0; d < q->axis; d++) outer *= in->dims[d];
  for (int32_t d = q->axis + 1; d < in->rank; d++) inner *= in->dims[d];
  int64_t step = q->reverse ? -inner : inner;
  for (int64_t line = 0; line < outer * inner; line++) {
    int64_t at = line / inner * n * inner + line % inner + (q->reverse ? (n - 1) * inner : 0);
    switch (in->dtype) {
    case HY_F32: CUMULATE_AS(float, float);
    case HY_F64: CUMULATE_AS(double, double);
    case HY_I32:
    case HY_U32: CUMULATE_AS(uint32_t, uint32_t);
    default: CUMULATE_AS(uint64_t, uint64_t); /* wraps alike for both signs */
    }
  }
  return HY_OK;
}

hy_status hy__op_cum_sum_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  int64_t axis;
  HY_TRY(hy__op_int(p, 1, NULL, 0, &axis, err));
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  HY_TRY(hy__op_axis(axis, p->in[0].rank, &q->axis, err));
  q->product = p->node->op_type[3] == 'P';
  q->exclusive = hy__node_int(p->node, "exclusive", 0) != 0;
  q->reverse = hy__node_int(p->node, "reverse", 0) != 0;
  p->params = q;
  p->run = run;
  return HY_OK;
}
