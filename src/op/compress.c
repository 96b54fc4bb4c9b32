/* SPDX-License-Identifier: Apache-2.0 */
/* Compress: the slices along an axis (or the elements) whose condition is true. The condition must
 * be known at planning, for the shape depends on it; it may be shorter than the axis. */
#include <string.h>

#include "op/rule.h"

static hy_status around_of(const hy__op_plan *p, int32_t *axis, hy__around *out, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  *axis = -1;
  *out = (hy__around){1, hy__op_count_of(x), 1};
  if (!hy__node_attr(p->node, "axis")) return HY_OK;
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), x->rank, axis, err));
  *out = hy__op_around(x, *axis);
  return HY_OK;
}

/* How much of the condition counts, and how much of that is true. */
static size_t trues(const hy_tensor *condition, size_t n) {
  size_t found = 0;
  n = HY_MIN(n, hy__op_count_of(condition));
  for (size_t i = 0; i < n; i++) found += ((const uint8_t *)condition->data)[i] != 0;
  return found;
}

hy_status hy__op_compress_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *condition = &p->in[1];
  int64_t dims[HY_MAX_RANK];
  hy__around a;
  int32_t axis;
  HY_FAIL_IF(condition->dtype != HY_BOOL || condition->rank != 1, HY_BAD_FORMAT, err,
             "the condition is not a list of bools");
  HY_FAIL_IF(!condition->data, HY_UNSUPPORTED, err,
             "the condition is not known before the run, so the output's shape would depend on "
             "data");
  HY_TRY(around_of(p, &axis, &a, err));
  memcpy(dims, x->dims, sizeof dims);
  dims[HY_MAX(axis, 0)] = (int64_t)trues(condition, a.n);
  return hy__op_out(p, 0, x->dtype, axis < 0 ? 1 : x->rank, dims, err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const hy__around *a = step->params;
  const uint8_t *condition = step->in[1].data;
  const size_t bytes = a->inner * hy_dtype_bytes(step->in[0].dtype);
  const size_t n = HY_MIN(a->n, hy__op_count_of(&step->in[1]));
  const char *from = step->in[0].data;
  char *to = step->out[0].data, *end = to + hy__op_bytes_of(&step->out[0]);
  for (size_t o = 0; o < a->outer; o++) {
    for (size_t i = 0; i < n; i++) {
      if (!condition[i]) continue;
      HY_FAIL_IF(to + bytes > end, HY_INVALID_ARGUMENT, err,
                 "the condition is not the one planned");
      memcpy(to, from + (o * a->n + i) * bytes, bytes);
      to += bytes;
    }
  }
  return HY_OK;
}

hy_status hy__op_compress_lower(hy__op_plan *p, hy_error *err) {
  void *around;
  int32_t axis;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(hy__around), _Alignof(hy__around), &around, err));
  HY_TRY(around_of(p, &axis, around, err));
  p->params = around;
  p->run = run;
  return HY_OK;
}
