/* SPDX-License-Identifier: Apache-2.0 */
/* Shrink: zero within [-lambd, lambd], towards it by `bias` outside. */
#include "op/element.h"
#include "op/rule.h"

typedef struct params {
  double lambd, bias;
} params;

hy_status hy__op_shrink_infer(hy__op_plan *p, hy_error *err) {
  p->out_inplace[0] = 1;
  return hy__op_out_like(p, 0, &p->in[0], err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const int64_t n = (int64_t)hy__op_count_of(&step->out[0]);
  (void)err;
  for (int64_t i = 0; i < n; i++) {
    const double v = hy__element_real(&step->in[0], i);
    const double y = v < -q->lambd ? v + q->bias : v > q->lambd ? v - q->bias : v != v ? v : 0.0;
    hy__element_put_real(&step->out[0], i, y);
  }
  return HY_OK;
}

hy_status hy__op_shrink_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->lambd = (double)hy__node_float(p->node, "lambd", 0.5f);
  q->bias = (double)hy__node_float(p->node, "bias", 0.0f);
  p->params = q;
  p->run = run;
  return HY_OK;
}
