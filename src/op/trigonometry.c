/* SPDX-License-Identifier: Apache-2.0 */
/* The trigonometric and hyperbolic functions beside Sin, Cos and Tanh, and Erfc, which tf2onnx
 * writes though ONNX has none: by the C library's doubles, rounded once. */
#include <math.h>
#include <string.h>

#include "op/rule.h"

typedef double (*function)(double);

static const struct {
  const char *name;
  function fn;
} functions[] = {
    {"Acos", acos},   {"Acosh", acosh}, {"Asin", asin}, {"Asinh", asinh}, {"Atan", atan},
    {"Atanh", atanh}, {"Cosh", cosh},   {"Erfc", erfc}, {"Sinh", sinh},   {"Tan", tan},
};

typedef struct params {
  function fn;
} params;

hy_status hy__op_trigonometry_infer(hy__op_plan *p, hy_error *err) {
  p->out_inplace[0] = 1;
  return hy__op_out_like(p, 0, &p->in[0], err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const function fn = ((const params *)step->params)->fn;
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  const size_t n = hy__op_count_of(y);
  (void)err;
  if (y->dtype == HY_F64) {
    for (size_t i = 0; i < n; i++) ((double *)y->data)[i] = fn(((const double *)x->data)[i]);
  } else {
    for (size_t i = 0; i < n; i++)
      ((float *)y->data)[i] = (float)fn((double)((const float *)x->data)[i]);
  }
  return HY_OK;
}

hy_status hy__op_trigonometry_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  for (size_t i = 0; i < HY_COUNT(functions); i++)
    if (!strcmp(functions[i].name, p->node->op_type)) q->fn = functions[i].fn;
  HY_FAIL_IF(!q->fn, HY_INTERNAL, err, "%s has no function", p->node->op_type);
  p->params = q;
  p->run = run;
  return HY_OK;
}
