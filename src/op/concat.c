/* SPDX-License-Identifier: Apache-2.0 */
/* Concat: inputs one after the other along an axis. */
#include "op/rule.h"

hy_status hy__op_concat_infer(hy__op_plan *p, hy_error *err) {
  int32_t axis;
  int64_t dims[HY_MAX_RANK];
  const hy_tensor *first = &p->in[0];
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 1), first->rank, &axis, err));
  memcpy(dims, first->dims, sizeof dims);
  dims[axis] = 0;
  for (size_t k = 0; k < p->n_in; k++) {
    const hy_tensor *t = &p->in[k];
    HY_FAIL_IF(!p->in_present[k], HY_BAD_FORMAT, err, "input %zu is left out", k);
    HY_TRY(hy__op_same_type(p, 0, k, err));
    bool fits = t->rank == first->rank;
    for (int32_t d = 0; fits && d < t->rank; d++) fits = d == axis || t->dims[d] == dims[d];
    HY_FAIL_IF(!fits || !hy__add_i64(dims[axis], t->dims[axis], &dims[axis]), HY_BAD_FORMAT, err,
               "input %zu does not fit the first beside axis %d", k, (int)axis);
  }
  if (p->n_in == 1) p->out_alias[0] = 0;
  return hy__op_out(p, 0, first->dtype, first->rank, dims, err);
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  int32_t axis = *(const int32_t *)s->params;
  size_t each = hy_dtype_bytes(s->out[0].dtype), outer = 1, inner = each;
  for (int32_t d = 0; d < axis; d++) outer *= (size_t)s->out[0].dims[d];
  for (int32_t d = axis + 1; d < s->out[0].rank; d++) inner *= (size_t)s->out[0].dims[d];
  uint8_t *to = s->out[0].data;
  for (size_t i = 0; i < outer; i++)
    for (size_t k = 0; k < s->n_in; k++) {
      size_t bytes = (size_t)s->in[k].dims[axis] * inner;
      memcpy(to, (const uint8_t *)s->in[k].data + i * bytes, bytes);
      to += bytes;
    }
  return HY_OK;
}

hy_status hy__op_concat_lower(hy__op_plan *p, hy_error *err) {
  void *axis;
  if (p->out_alias[0] == 0) return hy__op_identity_lower(p, err);
  HY_TRY(hy__arena_alloc(p->arena, sizeof(int32_t), _Alignof(int32_t), &axis, err));
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 1), p->in[0].rank, axis, err));
  p->params = axis;
  p->run = run;
  return HY_OK;
}
