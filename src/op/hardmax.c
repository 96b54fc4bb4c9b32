/* SPDX-License-Identifier: Apache-2.0 */
/* Hardmax: one for the first largest element of each line, zero for the others; along an axis from
 * opset 13 on, over everything behind the axis before. A NaN counts as the largest. */
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

static hy_status around_of(const hy__op_plan *p, hy__around *out, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const bool flat = p->node->version < 13;
  int32_t axis = 0;
  if (x->rank > (flat ? 1 : 0))
    HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", flat ? 1 : -1), x->rank, &axis, err));
  *out = hy__op_around(x, axis);
  if (flat) *out = (hy__around){out->outer, out->n * out->inner, 1};
  return HY_OK;
}

hy_status hy__op_hardmax_infer(hy__op_plan *p, hy_error *err) {
  hy__around a;
  HY_TRY(around_of(p, &a, err));
  return hy__op_out_like(p, 0, &p->in[0], err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const hy__around *a = step->params;
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  (void)err;
  memset(y->data, 0, hy__op_bytes_of(y));
  for (size_t line = 0; line < a->outer * a->inner && a->n > 0; line++) {
    const size_t first = line / a->inner * a->n * a->inner + line % a->inner;
    size_t best = first;
    double top = hy__element_real(x, (int64_t)first);
    for (size_t i = 1; i < a->n && top == top; i++) {
      const double v = hy__element_real(x, (int64_t)(first + i * a->inner));
      if (!(v > top) && v == v) continue;
      best = first + i * a->inner;
      top = v;
    }
    hy__element_put_real(y, (int64_t)best, 1.0);
  }
  return HY_OK;
}

hy_status hy__op_hardmax_lower(hy__op_plan *p, hy_error *err) {
  void *around;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(hy__around), _Alignof(hy__around), &around, err));
  HY_TRY(around_of(p, around, err));
  p->params = around;
  p->run = run;
  return HY_OK;
}
