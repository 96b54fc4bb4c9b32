/* SPDX-License-Identifier: Apache-2.0 */
/* InstanceNormalization and GroupNormalization: the channels of a group, with all that lies behind
 * them, have one mean and one variance; an instance's groups are single channels. Scale and bias
 * stand per channel, in GroupNormalization 18 per group. Sums in double, in two passes. */
#include <math.h>

#include "op/rule.h"

typedef struct params {
  size_t rows, groups, each, inner; /* rows: batch * groups; each: channels of a group */
  bool per_group;
  double epsilon;
} params;

static bool is_instance(const hy__node *node) { return node->op_type[0] == 'I'; }

static hy_status groups_of(const hy__op_plan *p, int64_t *out, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  HY_FAIL_IF(x->rank < 2, HY_BAD_FORMAT, err, "X has %d dims; 2 or more are expected", x->rank);
  *out = is_instance(p->node) ? x->dims[1] : hy__node_int(p->node, "num_groups", 0);
  HY_FAIL_IF(*out < 0 || (*out == 0 && x->dims[1] != 0) || (*out && x->dims[1] % *out != 0),
             HY_BAD_FORMAT, err, "%lld groups of %lld channels", (long long)*out,
             (long long)x->dims[1]);
  return HY_OK;
}

static bool is_per_group(const hy__node *node) { return !is_instance(node) && node->version < 21; }

hy_status hy__op_group_norm_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int64_t groups;
  HY_TRY(groups_of(p, &groups, err));
  const int64_t n = is_per_group(p->node) ? groups : x->dims[1];
  for (size_t k = 1; k < 3; ++k) {
    HY_TRY(hy__op_same_type(p, 0, k, err));
    HY_FAIL_IF(hy__op_count_of(&p->in[k]) != (size_t)n, HY_BAD_FORMAT, err,
               "input %zu has not %lld values", k, (long long)n);
  }
  return hy__op_out_like(p, 0, x, err);
}

#define ROW(type)                                                                                  \
  static void row_##type(const hy__step *step, size_t row) {                                       \
    const params *q = step->params;                                                                \
    const size_t n = q->each * q->inner, group = row % q->groups;                                  \
    const type *x = (const type *)step->in[0].data + row * n, *scale = step->in[1].data,           \
               *bias = step->in[2].data;                                                           \
    type *y = (type *)step->out[0].data + row * n;                                                 \
    double mean = 0.0, squares = 0.0;                                                              \
    for (size_t i = 0; i < n; ++i) mean += (double)x[i];                                           \
    mean /= (double)n;                                                                             \
    for (size_t i = 0; i < n; ++i) squares += ((double)x[i] - mean) * ((double)x[i] - mean);       \
    const double inverse = 1.0 / sqrt(squares / (double)n + q->epsilon);                           \
    for (size_t c = 0; c < q->each; ++c) {                                                         \
      const size_t at = q->per_group ? group : group * q->each + c;                                \
      const double a = (double)scale[at] * inverse, b = (double)bias[at];                          \
      for (size_t i = c * q->inner; i < (c + 1) * q->inner; ++i)                                   \
        y[i] = (type)(((double)x[i] - mean) * a + b);                                              \
    }                                                                                              \
  }
ROW(float)
ROW(double)
#undef ROW

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  (void)err;
  for (size_t row = 0; row < q->rows; ++row) {
    if (step->in[0].dtype == HY_F64)
      row_double(step, row);
    else
      row_float(step, row);
  }
  return HY_OK;
}

hy_status hy__op_group_norm_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int64_t groups;
  params *q;
  HY_TRY(groups_of(p, &groups, err));
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->groups = (size_t)groups;
  q->rows = (size_t)x->dims[0] * q->groups;
  q->each = groups ? (size_t)(x->dims[1] / groups) : 0;
  q->inner = 1;
  for (int32_t d = 2; d < x->rank; ++d) q->inner *= (size_t)x->dims[d];
  q->per_group = is_per_group(p->node);
  q->epsilon = (double)hy__node_float(p->node, "epsilon", 1e-5f);
  p->params = q;
  p->run = run;
  return HY_OK;
}
