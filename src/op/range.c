/* SPDX-License-Identifier: Apache-2.0 */
/* Range: start, limit and delta must be known at planning, since they make the shape. */
#include <math.h>

#include "op/rule.h"

static double scalar(const hy_tensor *t) {
  switch (t->dtype) {
  case HY_F32: return (double)*(const float *)t->data;
  case HY_F64: return *(const double *)t->data;
  case HY_I16: return *(const int16_t *)t->data;
  case HY_I32: return *(const int32_t *)t->data;
  default: return (double)*(const int64_t *)t->data;
  }
}

hy_status hy__op_range_infer(hy__op_plan *p, hy_error *err) {
  double v[3];
  for (size_t k = 0; k < 3; k++) {
    HY_TRY(hy__op_same_type(p, 0, k, err));
    HY_FAIL_IF(!p->in[k].data, HY_UNSUPPORTED, err,
               "input %zu is not known before the run, so the output's shape would depend on data",
               k);
    HY_FAIL_IF(hy__op_count_of(&p->in[k]) != 1, HY_BAD_FORMAT, err, "input %zu must be one number",
               k);
    v[k] = scalar(&p->in[k]);
  }
  double n = ceil((v[1] - v[0]) / v[2]);
  HY_FAIL_IF(!(fabs(n) < 0x1p40), HY_BAD_FORMAT, err, "from %g to %g by %g is no range", v[0], v[1],
             v[2]);
  int64_t dim = n > 0 ? (int64_t)n : 0;
  return hy__op_out(p, 0, p->in[0].dtype, 1, &dim, err);
}

/* `wide` computes: the type itself for floats, uint64_t for integers, where wrapping is defined. */
#define RANGE_AS(type, wide)                                                                       \
  {                                                                                                \
    wide start = (wide) * (const type *)s->in[0].data,                                             \
         delta = (wide) * (const type *)s->in[2].data;                                             \
    for (size_t i = 0; i < n; i++) ((type *)s->out[0].data)[i] = (type)(start + (wide)i * delta);  \
  }                                                                                                \
  break

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  size_t n = hy__op_count_of(&s->out[0]);
  switch (s->out[0].dtype) {
  case HY_F32: RANGE_AS(float, float);
  case HY_F64: RANGE_AS(double, double);
  case HY_I16: RANGE_AS(int16_t, uint64_t);
  case HY_I32: RANGE_AS(int32_t, uint64_t);
  default: RANGE_AS(int64_t, uint64_t);
  }
  return HY_OK;
}

hy_status hy__op_range_lower(hy__op_plan *p, hy_error *err) {
  (void)err;
  p->run = run;
  return HY_OK;
}
